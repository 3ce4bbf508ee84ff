"""The feature network: an embedding of patches, for each of the generator's layers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from i2i_cut.weights import init_weights

EPSILON = 1e-7
"""Added to the length of a vector before it is divided by it, as in the authors' code."""


class Features(nn.Module):
    """Two linear layers for every layer of the generator: Park et al. 2020, section 3.

    With 256 features, and the channels 3, 128, 256, 256, 256 of the default layers, it has 560,384
    parameters.

    Args:
        channels: Channels of each layer.
        features: Length of an embedding.
    """

    def __init__(self, channels: Sequence[int], features: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(c, features), nn.ReLU(), nn.Linear(features, features))
            for c in channels
        )
        init_weights(self)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Embed some places of every layer.

        Args:
            maps: Result `(N, C, H, W)` of each layer.
            places: For each layer, indices `(P,)` of places among its `H * W`.

        Returns:
            For each layer `(N, P, features)`: vectors of length 1.
        """
        return tuple(
            _unit(head(layer.flatten(2)[:, :, chosen].transpose(1, 2)))
            for head, layer, chosen in zip(self.heads, maps, places, strict=True)
        )


def _unit(vectors: Tensor) -> Tensor:
    # Squares of small numbers are 0 in half precision.
    vectors = vectors.to(torch.promote_types(vectors.dtype, torch.float32))
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / (lengths + EPSILON)
