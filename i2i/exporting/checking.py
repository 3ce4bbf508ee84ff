"""Comparison of exported models with the original network on real images."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.sizes import size_text
from i2i.images.tensors import mirrored
from i2i.images.types import Size

TOLERANCE = 1e-4
"""The largest allowed difference between an export and PyTorch, for values in [−1, 1]."""

Run = Callable[[Tensor], Tensor]
"""An exported model as a function from `(N, C, H, W)` to `(N, C, H, W)`, both in [−1, 1]."""


def check(run: Run, network: nn.Module, inputs: Tensor, sizes: Sequence[Size]) -> float:
    """Compare an exported model with its original network.

    The first size is checked with all images in one batch, the other sizes with the first image
    only. Images are cropped, or padded by mirroring, to each size.

    Args:
        run: The exported model.
        network: The network, on the CPU.
        inputs: Images `(N, C, H, W)` in [−1, 1].
        sizes: Heights and widths to check.

    Returns:
        The largest absolute difference.

    Raises:
        I2IError: If the difference is above `TOLERANCE`, or the exported model can't be run.
    """
    largest = 0.0
    for i, (height, width) in enumerate(sizes):
        batch = inputs if i == 0 else inputs[:1]
        images = mirrored(batch[:, :, :height, :width], (height, width))
        with torch.inference_mode():
            expected = network(images)
        difference = float((run(images) - expected).abs().max())
        if not difference <= TOLERANCE:  # also catches NaN
            raise I2IError(
                f"the exported model differs from the model: at {size_text((height, width))} its "
                f"values differ from PyTorch's by {difference:.1e}, more than {TOLERANCE:.0e}"
            )
        largest = max(largest, difference)
    return largest
