"""What Pillow makes of a TIFF: its pages, the data it drops, and the values that it misreads."""

from typing import BinaryIO, cast

import numpy as np
from PIL import Image, TiffImagePlugin

from i2i.images.guards import check_parts, several_frames
from i2i.images.pixels import Depth, stretched
from i2i.images.tiff_pages import MOST, pictures
from i2i.images.types import Array

Tiff = TiffImagePlugin.TiffImageFile

_INDIRECT = ("P", "PA", "1", "La")
"""Modes whose stored values are not yet colours or grey values."""

_LOSSY = ("jpeg", "tiff_jpeg", "webp")
"""Pillow's names of compressions with loss."""

_SIGNED = 2
"""Value of the tag SampleFormat."""


def pages(image: Image.Image) -> list[int]:
    """The places of a TIFF's pictures; only the current page for other images."""
    if not isinstance(image, Tiff) or not image.is_animated:
        return [image.tell()]
    return [page.place for page in pictures(_file(image), MOST + 1)]


def go_to_picture(image: Tiff, mode: str) -> None:
    """Go to the first page that is a picture.

    Raises:
        ValueError: If there are several, except in mode "channels", or its strips overlap.
    """
    found = pictures(_file(image), 2)
    if len(found) > 1 and mode != "channels":
        raise several_frames()
    image.seek(found[0].place)
    for tag in (TiffImagePlugin.STRIPBYTECOUNTS, TiffImagePlugin.TILEBYTECOUNTS):
        check_parts(image.tag_v2.get(tag, ()), _file(image))


def go_to_page(image: Image.Image, place: int) -> None:
    """Go to a page, without parsing its EXIF."""
    image._exif = None
    image.seek(place)


def loses(image: Image.Image) -> bool:
    """Whether the image is a TIFF of which Pillow would drop bits or channels."""
    if not isinstance(image, Tiff) or len(pages(image)) > 1:
        return False
    return image.mode not in _INDIRECT and (
        _samples_a_pixel(image) > len(image.getbands())
        or (_samples_a_pixel(image) > 1 and bits(image) > 8)
        or _is_reordered(image)
    )


def _is_reordered(image: Tiff) -> bool:
    """Whether Pillow takes the wide values of a compressed big-endian file for little-endian."""
    big_endian = image.tag_v2.prefix == b"MM"
    return image.mode in ("I", "F") and big_endian and image.info.get("compression") != "raw"


def suffices(image: Image.Image, mode: str, depth: Depth | None) -> bool:
    """Whether Pillow reads all the data that is requested, although it `loses` other data."""
    if not isinstance(image, Tiff):
        return True
    bands = len(image.getbands())
    # The high bytes of 16 bits are within one level of the exact 8-bit value. A channel after RGB
    # is padding.
    deep_enough = depth == 8 or bits(image) <= 8
    return (
        not _is_reordered(image)
        and deep_enough
        and (_samples_a_pixel(image) == bands or (mode in ("rgb", "gray") and bands > 2))
    )


def is_lossy(image: Tiff) -> bool:
    """Whether the pixels are compressed with loss."""
    return image.info.get("compression") in _LOSSY


def typed(array: Array, image: Tiff) -> Array:
    """The values in the file's type: Pillow takes uint32 for int32, and int8 for uint8."""
    signed = _SIGNED in image.tag_v2.get(TiffImagePlugin.SAMPLEFORMAT, (1,))
    if array.dtype == np.int32 and bits(image) == 32 and not signed:
        return array.view(np.uint32)
    return array.view(np.int8) if array.dtype == np.uint8 and signed else array


def scaled(array: Array, image: Tiff) -> Array:
    """Scale 16-bit grey from black to white, which Pillow returns as stored."""
    if array.dtype != np.uint16:
        return array
    if bits(image) == 12:
        array = stretched(array, 4095)
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return np.uint16(65535) - array if white_is_zero else array


def bits(image: Tiff) -> int:
    """The largest number of bits of a channel."""
    return int(max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))


def _samples_a_pixel(image: Tiff) -> int:
    return int(image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))


def _file(image: Tiff) -> BinaryIO:
    return cast(BinaryIO, image.fp or image._fp)  # the first one is None after loading
