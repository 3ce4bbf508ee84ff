"""NumPy arrays as images: `(H, W)` or `(H, W, C)`, any numeric type, in memory or as .npy files."""

from pathlib import Path

import numpy as np

from i2i.images.content import Content, Header, Mode
from i2i.images.guards import check_size, pixels_in
from i2i.images.types import Array

SUFFIX = ".npy"


def header(path: Path) -> Header:
    """Read size and channels of an .npy file, but not its values."""
    array = _mapped(path)
    height, width, channels = array.shape
    return Header((height, width), channels, deep=array.dtype.itemsize > 1)


def decode(path: Path, mode: Mode) -> Content:
    """Read an .npy file and convert it to the byte order of this machine."""
    return in_memory(np.array(_mapped(path)), mode)


def in_memory(array: Array, mode: Mode) -> Content:
    """Convert an array in memory to the byte order of this machine."""
    array = _checked(array)
    array = np.asarray(array, array.dtype.newbyteorder("="))
    return Content(_labels(array) if mode == "labels" else array)


def _mapped(path: Path) -> Array:
    array = _checked(np.load(path, mmap_mode="r", allow_pickle=False))
    height, width, channels = array.shape
    check_size(pixels_in(height, width, channels))
    return array


def _checked(array: Array) -> Array:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.size == 0:
        raise ValueError(f"its shape is {array.shape}, not (height, width, channels)")
    if array.dtype.kind not in "buif":
        raise ValueError(f"its values are {array.dtype}, not numbers of one channel")
    return array


def _labels(array: Array) -> Array:
    if array.shape[2] != 1 or array.dtype.kind == "f":
        raise ValueError(
            f"is {array.dtype} with {array.shape[2]} channels, not a label map: indices must be "
            "integers in one channel"
        )
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"holds labels from {array.min()} to {array.max()}, beyond 0 to 255")
    return array.astype(np.uint8)
