"""Conversion between integer images and float tensors in [−1, 1], and padding."""

import numpy as np
import torch
from torch import Tensor

from i2i.images.types import Array


def batch_of_one(image: Array) -> Tensor:
    """Convert an image `(H, W, C)`, uint8 or uint16, to a batch `(1, C, H, W)` in [−1, 1]."""
    # Copy the array, because torch does not support read-only arrays.
    return to_float(torch.from_numpy(np.array(image)).permute(2, 0, 1))[None]


def to_float(images: Tensor) -> Tensor:
    """Convert uint8 in [0, 255] or uint16 in [0, 65535] to float32 in [−1, 1]."""
    scale = 2.0 / torch.iinfo(images.dtype).max
    return images.to(torch.float32).mul_(scale).sub_(1.0)


def to_uint(images: Tensor, dtype: torch.dtype = torch.uint8) -> Tensor:
    """Convert floats in [−1, 1] to the full range of an integer type, rounded and clipped."""
    top = torch.iinfo(dtype).max
    return images.float().add(1.0).mul_(top / 2).round_().clamp_(0, top).to(dtype)


def mirrored(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Pad images `(N, C, H, W)` at the bottom and right to a size by mirroring.

    The size may be more than twice the image's: the mirrored copies are mirrored again.
    """
    for dimension, length in zip((2, 3), size, strict=True):
        current = images.shape[dimension]
        if length > current:
            indices = torch.arange(length) % (2 * current)
            mirrored_indices = torch.minimum(indices, 2 * current - 1 - indices)
            images = images.index_select(dimension, mirrored_indices.to(images.device))
    return images
