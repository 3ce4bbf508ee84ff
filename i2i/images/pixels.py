"""Operations on decoded pixels: depth, transparency, grey and colour, orientation."""

from typing import Literal

import numpy as np

from i2i.images.types import Array

Depth = Literal[8, 16]
"""Bits per channel."""

FloatRange = tuple[float, float]
"""The values of black and white in a float image."""

_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey: ITU-R 601-2, as in Pillow."""


def to_depth(array: Array, depth: Depth, float_range: FloatRange | None = None) -> Array:
    """Convert channels of any type to 8 or 16 bits, scaled and rounded.

    Only values outside of `float_range` are clipped.

    Args:
        array: `(H, W, C)` in bool, uint8, uint16, wider integers or floats.
        depth: 8 gives uint8, 16 gives uint16.
        float_range: The values of black and white in wider integers and floats.

    Raises:
        ValueError: If the array has wider integers or floats and `float_range` is missing, or it
            contains values that are not finite.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    whole = np.uint8 if depth == 8 else np.uint16
    top = np.iinfo(whole).max
    if array.dtype == whole:
        return array
    if array.dtype == np.uint16:
        return np.asarray((array.astype(np.uint32) + 128) // 257, np.uint8)
    if array.dtype == np.uint8:
        return np.asarray(array.astype(np.uint16) * 257, np.uint16)
    if float_range is None:
        raise ValueError(
            f"its values are {array.dtype} without a declared range: set data.float_range = "
            "[black, white]"
        )
    black, white = float_range
    unit = (array.astype(np.float64) - black) / (white - black)
    if not np.isfinite(unit).all():
        raise ValueError("has values that are not finite")
    scaled: Array = np.rint(unit.clip(0, 1) * top).astype(whole)
    return scaled


def composite(array: Array, background: tuple[int, int, int]) -> Array:
    """Blend pixels with a background and drop their alpha.

    Args:
        array: `(H, W, 2)` grey with alpha, or `(H, W, 4)` RGB with alpha; uint8 or uint16.
        background: Red, green and blue, 0 to 255.

    Returns:
        `(H, W, 3)` of the same type.
    """
    top = np.iinfo(array.dtype).max
    colour = np.broadcast_to(array[..., :-1], (*array.shape[:2], 3)).astype(np.float64)
    alpha = array[..., -1:].astype(np.float64) / top
    behind = np.array(background, np.float64) * (top / 255)
    mixed: Array = np.rint(colour * alpha + behind * (1 - alpha)).astype(array.dtype)
    return mixed


def as_rgb(array: Array) -> Array:
    """Convert grey or RGB `(H, W, 1 or 3)` to RGB `(H, W, 3)`."""
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def as_gray(array: Array) -> Array:
    """Convert grey or RGB `(H, W, 1 or 3)` to grey `(H, W, 1)`."""
    if array.shape[2] == 1:
        return array
    luma: Array = np.rint(array @ _LUMA).astype(array.dtype)
    return luma[..., None]


def upright(array: Array, orientation: int) -> Array:
    """Rotate and mirror `(H, W, C)` according to the EXIF orientation, 1 to 8."""
    if orientation in (5, 6, 7, 8):
        array = array.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def swaps_sides(orientation: int) -> bool:
    """Whether an EXIF orientation swaps height and width."""
    return orientation in (5, 6, 7, 8)
