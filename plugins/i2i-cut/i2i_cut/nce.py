"""The contrastive loss of patches."""

import torch
import torch.nn.functional as F
from torch import Tensor


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """PatchNCE: how well a patch of the output finds its own place in the input.

    Park et al. 2020, section 3: the cross-entropy of a query's similarities to the keys of
    its image, of which the key at its own place is the right one. There is no gradient through the
    keys. The authors' code adds a similarity of -10 to every query; exp(-10 / 0.07) is too small to
    change a sum of float32.

    Args:
        queries: Embeddings `(N, P, F)` of patches of the outputs, of length 1.
        keys: Embeddings `(N, P, F)` of the same places of the inputs.
        temperature: Divides the similarities.

    Returns:
        The mean loss `(N,)` of the patches of each image.
    """
    similarities = queries @ keys.detach().transpose(1, 2) / temperature
    n, patches, _ = similarities.shape
    own = torch.arange(patches, device=queries.device).expand(n, patches)
    losses = F.cross_entropy(similarities.flatten(0, 1), own.flatten(), reduction="none")
    return losses.view(n, patches).mean(1)
