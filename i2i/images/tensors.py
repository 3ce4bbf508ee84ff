"""Images as tensors: whole numbers to floats in [−1, 1] and back, and padding."""

import numpy as np
import torch
from torch import Tensor

from i2i.images.types import Array


def batch_of_one(image: Array) -> Tensor:
    """An image `(H, W, C)` in uint8 or uint16 as a batch `(1, C, H, W)` in [−1, 1]."""
    # A copy: torch takes no arrays that can't be written to.
    return to_float(torch.from_numpy(np.array(image)).permute(2, 0, 1))[None]


def to_float(images: Tensor) -> Tensor:
    """uint8 in [0, 255] or uint16 in [0, 65535] to float32 in [−1, 1]."""
    scale = 2.0 / torch.iinfo(images.dtype).max
    return images.to(torch.float32).mul_(scale).sub_(1.0)


def to_uint(images: Tensor, dtype: torch.dtype = torch.uint8) -> Tensor:
    """Float in [−1, 1] to whole numbers of a type's full range, rounded and clipped."""
    top = torch.iinfo(dtype).max
    return images.float().add(1.0).mul_(top / 2).round_().clamp_(0, top).to(dtype)


def mirrored(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images `(N, C, H, W)` filled up to a size, below and to the right, by mirroring at the edges.

    However much larger the size is: the mirror images are mirrored on.
    """
    for dimension, length in zip((2, 3), size, strict=True):
        own = images.shape[dimension]
        if length > own:
            places = torch.arange(length) % (2 * own)
            inside = torch.minimum(places, 2 * own - 1 - places)
            images = images.index_select(dimension, inside.to(images.device))
    return images
