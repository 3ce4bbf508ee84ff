"""Whether an exported model does what the model does, on real images."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.sizes import size_text
from i2i.images.tensors import mirrored
from i2i.images.types import Size

TOLERANCE = 1e-4
"""The largest difference from PyTorch that an export may have, of values in [−1, 1]."""

Run = Callable[[Tensor], Tensor]
"""An exported model: `(N, C, H, W)` to the same, in [−1, 1]."""


def check(run: Run, network: nn.Module, inputs: Tensor, sizes: Sequence[Size]) -> float:
    """Compare an exported model with the network that it was made from.

    At the first size it is given all images in one batch, at the others a single one: cut, or
    filled up by mirroring.

    Args:
        run: The exported model.
        network: The network, on the CPU.
        inputs: Images `(N, C, H, W)` in [−1, 1].
        sizes: Heights and widths at which they are compared.

    Returns:
        The largest absolute difference.

    Raises:
        I2IError: If it is above `TOLERANCE`, or the exported model can't be run.
    """
    largest = 0.0
    for i, (height, width) in enumerate(sizes):
        some = inputs if i == 0 else inputs[:1]
        images = mirrored(some[:, :, :height, :width], (height, width))
        with torch.inference_mode():
            expected = network(images)
        difference = float((run(images) - expected).abs().max())
        if not difference <= TOLERANCE:  # NaN isn't either
            raise I2IError(
                f"the exported model isn't the model: at {size_text((height, width))} its values "
                f"differ from PyTorch's by {difference:.1e}, more than {TOLERANCE:.0e}"
            )
        largest = max(largest, difference)
    return largest
