"""Data classes for the contents of image files, independent of the library that reads them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from i2i.images import pixels
from i2i.images.types import Array, Size

Mode = Literal["rgb", "gray", "labels", "channels"]
"""How a file is read: as colour, as grey, as label indices, or with all its channels unchanged."""

Palette = tuple[tuple[int, int, int], ...]
"""Red, green and blue by index, 0 to 255."""

Dpi = tuple[float, float]
"""Horizontal and vertical dots per inch."""


@dataclass(frozen=True)
class Header:
    """The facts from a file's header, known before its pixels are decoded.

    Args:
        size: Height and width in pixels after the EXIF rotation.
        channels: The number of channels in mode "channels".
        deep: Whether the samples have more than 8 bits.
        georeferenced: Whether the file is a GeoTIFF.
        palette: The palette of a label map; None without a palette.
    """

    size: Size
    channels: int
    deep: bool = False
    georeferenced: bool = False
    palette: Palette | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """The pixels of a file, and the data that a translation of it should keep.

    Args:
        pixels: `(H, W, C)` in uint8 or uint16.
        alpha: `(H, W, 1)` of the same type, 0 where transparent; None if the file has no alpha.
        profile: The file's ICC profile, even if `pixels` were converted to other colours.
        dpi: Horizontal and vertical dots per inch.
        palette: The palette of a label map; None without a palette.
    """

    pixels: Array
    alpha: Array | None = None
    profile: bytes | None = None
    dpi: Dpi | None = None
    palette: Palette | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """The decoded contents of a file, before conversion to a depth and a number of channels.

    Args:
        samples: `(H, W, C)`, upright, in the type of the file; labels in uint8.
        alpha: Whether the last channel is alpha.
        profile: An ICC profile.
        dpi: Horizontal and vertical dots per inch of the upright image.
        palette: The palette of label indices; None without a palette.
    """

    samples: Array
    alpha: bool = False
    profile: bytes | None = None
    dpi: Dpi | None = None
    palette: Palette | None = None


def orientation_of(value: object) -> int:
    """The EXIF orientation that a tag's value means: 1 unless it is a whole number from 1 to 8."""
    return next((whole for whole in range(1, 9) if value == whole), 1)


def density(values: Iterable[float] | None, orientation: int) -> Dpi | None:
    """Dots per inch of the upright image, or None if the file's values are invalid."""
    try:
        across, down = (float(value) for value in values or ())
    except (TypeError, ValueError, LookupError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and value > 0 for value in (across, down)):
        return None
    return (down, across) if pixels.swaps_sides(orientation) else (across, down)
