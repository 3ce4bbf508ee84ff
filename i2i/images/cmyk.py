"""Conversion of CMYK to RGB, which ignores the ICC profile."""

import warnings
from itertools import count

import numpy as np

from i2i.images.pixels import by_bands
from i2i.images.types import Array

_files = count()


def warn_once(name: str) -> None:
    """Warn once per process that the colours of CMYK files are approximate."""
    if next(_files) == 0:
        warnings.warn(
            "CMYK images are converted to RGB without their profile; colours are approximate "
            f"(the first one is {name})",
            stacklevel=2,
        )


@by_bands
def as_rgb(array: Array) -> Array:
    """Convert integer CMYK `(H, W, 4)` to RGB `(H, W, 3)`; equal to Pillow at 8 bits."""
    top = np.iinfo(array.dtype).max
    light = 1 - array.astype(np.float64) / top
    rgb: Array = np.rint(light[..., :3] * light[..., 3:] * top).astype(array.dtype)
    return rgb
