"""Operations on decoded pixels: depth, transparency, grey and colour, orientation."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from i2i.images.needs import Needed
from i2i.images.types import Array

Depth = Literal[8, 16]
"""Bits per channel."""

FloatRange = tuple[float, float]
"""The values of black and white in a file."""

BAND = 2**18
"""Number of pixels that are converted to floats at a time."""

_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in grey: ITU-R 601-2, as in Pillow."""


def by_bands(convert: Callable[..., Array]) -> Callable[..., Array]:
    """Apply a conversion of `(H, W, C)` to a few rows at a time, so that its floats stay small."""

    @functools.wraps(convert)
    def converted(array: Array, *options: Any) -> Array:
        height, width = array.shape[:2]
        rows = max(1, BAND // width)
        whole: Array | None = None
        for top in range(0, height, rows):
            band = convert(array[top : top + rows], *options)
            if whole is None:
                whole = np.empty((height, *band.shape[1:]), band.dtype)
            whole[top : top + rows] = band
        assert whole is not None
        return whole

    return converted


def to_depth(array: Array, depth: Depth, float_range: FloatRange | None = None) -> Array:
    """Convert channels of any type to 8 or 16 bits, scaled and rounded.

    Only values outside of `float_range` are clipped.

    Args:
        array: `(H, W, C)` in bool, uint8, uint16, other integers or floats.
        depth: 8 gives uint8, 16 gives uint16.
        float_range: The values of black and white. Without it, black is 0 and white the largest
            value of the type. It doesn't hold for bool, which is black and white already.

    Raises:
        ValueError: If the array has other integers or floats and `float_range` is missing, or it
            contains values that are not finite.
    """
    if array.dtype == np.bool_:
        array, float_range = array.astype(np.uint8) * np.uint8(255), None
    whole = np.uint8 if depth == 8 else np.uint16
    if float_range is not None:
        return _scaled(array, float_range, whole)
    if array.dtype == whole:
        return array
    if array.dtype == np.uint16:
        return _narrowed(array)
    if array.dtype == np.uint8:
        return np.asarray(array.astype(np.uint16) * np.uint16(257))
    raise Needed("float_range", f"its values are {array.dtype} without a declared float_range")


@by_bands
def _scaled(array: Array, float_range: FloatRange, whole: type) -> Array:
    black, white = float_range
    unit = (array.astype(np.float64) - black) / (white - black)
    if not np.isfinite(unit).all():
        raise ValueError("has values that are not finite")
    scaled: Array = np.rint(unit.clip(0, 1) * np.iinfo(whole).max).astype(whole)
    return scaled


@by_bands
def _narrowed(array: Array) -> Array:
    return np.asarray((array.astype(np.uint32) + 128) // 257, np.uint8)


@by_bands
def stretched(array: Array, most: int) -> Array:
    """Scale integers `(H, W, C)` from the range 0 to `most` to the range of their type."""
    top = np.iinfo(array.dtype).max
    scaled: Array = np.rint(array * (top / most)).astype(array.dtype)
    return scaled


@by_bands
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
    return array if array.shape[2] == 1 else _luma(array)


@by_bands
def _luma(array: Array) -> Array:
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
