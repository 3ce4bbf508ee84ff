"""Images that components are tested with: smooth, colourful, and the same every time."""

import torch
import torch.nn.functional as F
from torch import Tensor

from i2i.images.types import Size


def pictures(number: int, channels: int, size: Size, *, seed: int = 0) -> Tensor:
    """Draw smooth pictures, of which each is brighter than the one before.

    Args:
        number: Number of pictures.
        channels: Their channels.
        size: Height and width.
        seed: Other seeds give other pictures.

    Returns:
        `(number, channels, H, W)` in [−1, 1].
    """
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(number, channels, 6, 5, generator=random) * 2 - 1
    brightness = torch.linspace(-0.3, 0.3, number)[:, None, None, None]
    return (F.interpolate(coarse, size, mode="bilinear") + brightness).clamp(-1, 1)
