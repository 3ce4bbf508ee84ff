"""Resize images and label maps."""

import numpy as np
from PIL import Image

from i2i.images.types import Array, Size


def resize(array: Array, size: Size, *, labels: bool = False) -> Array:
    """Resize `(H, W, C)` to (height, width).

    Images: Pillow's bicubic filter with antialiasing, each channel separately, rounded and clipped
    to the type's range. Labels: nearest neighbour.
    """
    if array.shape[:2] == size:
        return array
    wanted = size[1], size[0]
    if labels:
        channels = [
            Image.fromarray(array[..., c]).resize(wanted, Image.Resampling.NEAREST)
            for c in range(array.shape[2])
        ]
        return np.stack([np.asarray(channel) for channel in channels], axis=2)
    if array.dtype == np.uint8 and array.shape[2] == 3:
        return np.asarray(Image.fromarray(array).resize(wanted, Image.Resampling.BICUBIC))
    floats = [
        np.asarray(
            Image.fromarray(array[..., c].astype(np.float32)).resize(
                wanted, Image.Resampling.BICUBIC
            )
        )
        for c in range(array.shape[2])
    ]
    top = np.iinfo(array.dtype).max
    resized: Array = np.rint(np.stack(floats, axis=2)).clip(0, top).astype(array.dtype)
    return resized
