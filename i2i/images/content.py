"""What is in an image file, whichever library read it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from i2i.images import pixels
from i2i.images.types import Array, Size

Mode = Literal["rgb", "gray", "labels", "channels"]
"""What a file is read as: colours, grey values, label indices, or its channels as they are."""

Dpi = tuple[float, float]
"""Dots per inch across and down."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels are decoded.

    Args:
        size: Height and width in pixels as it will be read, so after EXIF's rotation.
        channels: Channels in mode "channels".
    """

    size: Size
    channels: int


@dataclass(frozen=True, eq=False)
class Picture:
    """A file's pixels and what a translation of it should keep.

    Args:
        pixels: `(H, W, C)` in uint8 or uint16.
        alpha: `(H, W, 1)` of the same type, 0 where transparent; None where the file has none.
        profile: The file's ICC profile, whatever colours `pixels` were read as.
        dpi: Dots per inch across and down.
    """

    pixels: Array
    alpha: Array | None = None
    profile: bytes | None = None
    dpi: Dpi | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds, before it is brought to a depth and a number of channels.

    Args:
        samples: `(H, W, C)`, upright, in the file's own type; labels in uint8.
        alpha: Whether the last channel is alpha.
        profile: An ICC profile.
        dpi: Dots per inch, as the picture stands upright.
    """

    samples: Array
    alpha: bool = False
    profile: bytes | None = None
    dpi: Dpi | None = None


def density(values: Iterable[float] | None, orientation: int) -> Dpi | None:
    """Dots per inch of the upright picture; None where a file's numbers make no sense."""
    try:
        across, down = (float(value) for value in values or ())
    except (TypeError, ValueError, LookupError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) and value > 0 for value in (across, down)):
        return None
    return (down, across) if pixels.swaps_sides(orientation) else (across, down)
