"""Read images with Pillow, and correct what Pillow would lose.

This module reads all formats except .npy. It reads TIFF only where Pillow loses nothing that is
requested.
"""

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from i2i.images import cmyk, exif, pillow_tiff, pixels
from i2i.images.content import Content, Header, Mode, Palette, density
from i2i.images.guards import check_size, several_frames
from i2i.images.metadata import without_metadata
from i2i.images.pillow_tiff import Tiff
from i2i.images.png import decode_deep
from i2i.images.tiff import is_tiff
from i2i.images.types import Array

_EXCLUDED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats without pixels of their own. Opening an EPS would even start an interpreter."""

_BY_SUFFIX = Image.registered_extensions()
_FORMATS = [name for name in Image.OPEN if name not in _EXCLUDED]
SUFFIXES = frozenset(suffix for suffix, name in _BY_SUFFIX.items() if name in _FORMATS)
"""Suffixes of the formats, in lower case, with the dot."""

_COLOUR_OF = {"P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
_COLOUR_OF |= dict.fromkeys(("CMYK", "YCbCr", "LAB", "HSV"), "RGB")
_INDIRECT = ("P", "PA", "La")
"""Modes whose stored values are not yet colours or grey values."""

_GREY_STEPS = {";2": 85, ";4": 17}
"""The factor by which Pillow multiplies 2-bit and 4-bit grey values."""

_LOSSY = frozenset({"AVIF", "DDS", "JPEG", "JPEG2000", "MPO"})
"""Formats with grey values that may have been compressed with loss."""

# Silence Pillow's messages about TIFF files with too many channels for it: tifffile reads them.
logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())


def opened(file: BinaryIO, mode: Mode) -> Image.Image | None:
    """Open a file without decoding its pixels; None if Pillow doesn't support this kind of TIFF.

    Raises:
        ValueError: If the file is a decompression bomb or has several frames.
        UnidentifiedImageError: If the file is not an image.
    """
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:
        if is_tiff(file):
            return None
        raise
    check_size(image.width * image.height)
    if isinstance(image, Tiff):
        pillow_tiff.go_to_picture(image, mode)
        check_size(image.width * image.height * len(pillow_tiff.pages(image)))
    elif _is_animated(image):
        raise several_frames()
    return image


def header(image: Image.Image, mode: Mode) -> Header:
    """The facts from the header of an opened image."""
    height, width = image.height, image.width
    if pixels.swaps_sides(exif.orientation_to_apply(image)):
        height, width = width, height
    return Header(
        (height, width),
        _channels(image),
        deep=image.mode[0] in "IF" or _is_deep(image),
        palette=_palette(image) if mode == "labels" else None,
    )


def decode(image: Image.Image, file: BinaryIO, mode: Mode, as_stored: bool) -> Content:
    """Decode an opened image file; `as_stored` as for `decoding.decode`."""
    if image.format == "PNG":  # decoding does not check the checksums
        image.verify()
        file.seek(0)
        image = Image.open(file, formats=["PNG"])
    orientation = exif.stored_orientation(image)
    content = _content(image, file, mode, as_stored)
    profile = image.info.get("icc_profile")
    return replace(
        content,
        profile=profile if isinstance(profile, bytes) and profile else None,
        dpi=density(exif.dpi(image), orientation),
    )


def in_memory(image: Image.Image, mode: Mode, as_stored: bool) -> Content:
    """The upright pixels of an image in memory, with or without a file, as loaded by Pillow."""
    place = image.tell()
    exif.load(image)
    several = isinstance(image, Tiff) and len(pillow_tiff.pages(image)) > 1
    if _is_animated(image) or (several and mode != "channels"):
        raise several_frames()
    content = _content(image, None, mode, as_stored)
    if several:
        pillow_tiff.go_to_page(image, place)
    return content


def untouched(image: Image.Image, mode: Mode) -> BinaryIO | None:
    """The file of an image that is opened but not loaded or modified; else None.

    Reading this file keeps all the data that Pillow would lose by loading the image. This function
    changes neither the image's pixels nor its position in the file.

    Raises:
        ValueError: As `opened` does.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None or not image.tile:
        return None
    position = image.fp.tell()
    image.fp.seek(0)
    file = io.BytesIO(image.fp.read())
    image.fp.seek(position)
    fresh = opened(without_metadata(file), mode)
    return file if fresh is not None and _unmodified(fresh, image) else None


def _unmodified(fresh: Image.Image, image: Image.Image) -> bool:
    """Whether no call of `draft` or `seek` and no edit of the EXIF has changed an opened image."""
    return (fresh.mode, fresh.size, fresh.tell(), exif.stored_orientation(fresh)) == (
        image.mode,
        image.size,
        image.tell(),
        exif.stored_orientation(image),
    )


def _palette(image: Image.Image) -> Palette | None:
    """The palette of an image, which needn't be loaded; None for the greys of the indices."""
    if image.mode != "P":
        return None
    if image.format == "GIF":  # whose frame may have another palette than the file
        image.load()
    if image.palette is None:
        return None
    plain = Image.new("P", (1, 1))
    layout, stored = image.palette.getdata()
    plain.putpalette(bytes(stored), layout)
    values = plain.getpalette("RGB") or []
    colours: Palette = tuple(zip(values[::3], values[1::3], values[2::3], strict=True))
    return None if all(colour == (i, i, i) for i, colour in enumerate(colours)) else colours


def _is_animated(image: Image.Image) -> bool:
    """Whether a file other than TIFF has several frames; GIF looks only for the second one."""
    # Phones write MPO: one photo, followed by its previews or depth maps.
    return image.format not in ("MPO", "TIFF") and getattr(image, "is_animated", False)


def _content(image: Image.Image, file: BinaryIO | None, mode: Mode, as_stored: bool) -> Content:
    """The upright pixels.

    Args:
        image: An image that is not loaded yet, or that has no file.
        file: The image's file, or None.
        mode: The mode to read it in.
        as_stored: As for `decoding.decode`.
    """
    if mode == "labels":
        return _labels(image)
    if isinstance(image, Tiff) and len(pages := pillow_tiff.pages(image)) > 1:
        return _pages(image, pages, as_stored)
    deep = file if image.mode in ("RGB", "RGBA", "LA") and _is_deep(image) else None
    if "transparency" in image.info and (deep is not None or image.mode.startswith("I")):
        raise ValueError("has 16 bits and one transparent value: save it with alpha instead")
    orientation = exif.orientation_to_apply(image)
    if deep is not None:
        if image.format != "PNG":
            raise ValueError(f"has 16-bit colour in {image.format}; save it as PNG, TIFF or .npy")
        array = decode_deep(deep)
        return Content(pixels.upright(array, orientation), array.shape[2] in (2, 4))
    step = _grey_step(image) if as_stored else 1
    exif.load(image)
    if _has_transparent_colours(image):
        image = image.convert("RGBA")
    if image.mode == "CMYK" and mode != "channels":
        cmyk.warn_once(getattr(file, "name", "an image in memory"))
    colour = _COLOUR_OF.get(image.mode, image.mode)
    # Convert only if needed: a converted image loses its format.
    if colour != image.mode and (image.mode in _INDIRECT or mode != "channels"):
        image = image.convert(colour)
    samples = pixels.upright(_values(image, as_stored), orientation)
    if image.mode == "L":
        samples = samples // np.uint8(step)
    return Content(samples, image.mode in ("LA", "RGBA"))


def _channels(image: Image.Image) -> int:
    """The number of channels in mode "channels"."""
    if (count := len(pillow_tiff.pages(image))) > 1:
        return count
    if "LA;16" in _raw_mode(image):  # Pillow converts it to colour
        return 2
    if _has_transparent_colours(image):
        return 4
    mode = _COLOUR_OF[image.mode] if image.mode in _INDIRECT else image.mode
    return len(Image.new(mode, (1, 1)).getbands())


def _is_deep(image: Image.Image) -> bool:
    """Whether the file has more than 8 bits per channel, of which Pillow keeps 8 for colour."""
    if image.format == "TIFF":  # `loses` and `suffices` check TIFF files
        return False
    raw = _raw_mode(image)
    if image.format == "PPM":  # the raw mode contains the largest channel value
        return any(int(number) > 255 for number in re.findall(r"\d+", raw))
    return ";16" in raw


def _has_transparent_colours(image: Image.Image) -> bool:
    """Whether a transparent colour value or palette entry is declared."""
    return "transparency" in image.info or (image.mode == "P" and image.has_transparency_data)


def _raw_mode(image: Image.Image) -> str:
    """The storage format of the pixels, such as "RGB;16B"; known only before they are loaded."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return " ".join(str(tile.args) for tile in tiles[:1])


def _grey_step(image: Image.Image) -> int:
    """The factor by which Pillow multiplies the grey values of an image that is not loaded."""
    return next((step for bits, step in _GREY_STEPS.items() if f"L{bits}" in _raw_mode(image)), 1)


def _pages(image: Tiff, places: Sequence[int], as_stored: bool) -> Content:
    """Decode the pages of a TIFF as channels."""
    pages = []
    for place in places:
        pillow_tiff.go_to_page(image, place)
        exif.load(image)
        pages.append(_values(image, as_stored))
    if len({(page.shape, page.dtype) for page in pages}) > 1 or pages[0].shape[2] != 1:
        raise ValueError("has pages as channels: the pages must be grey and of equal size")
    return Content(np.concatenate(pages, axis=2))


def _labels(image: Image.Image) -> Content:
    """Palette indices, or grey values as stored."""
    if image.mode not in ("P", "L", "1"):
        raise ValueError(f"is {image.mode}, not a label map: indices must be palette or 8-bit grey")
    if image.format in _LOSSY or (isinstance(image, Tiff) and pillow_tiff.is_lossy(image)):
        raise ValueError(
            f"is a label map compressed with loss ({image.format}), which gives many of its pixels "
            "another class: save the original map as PNG"
        )
    step = _grey_step(image)
    orientation = exif.orientation_to_apply(image)
    exif.load(image)
    indices = _values(image, as_stored=True)
    if indices.dtype == np.int8:
        raise ValueError("is int8, not a label map: indices must be palette or 8-bit grey")
    upright = pixels.upright(indices.astype(np.uint8) // np.uint8(step), orientation)
    return Content(upright, palette=_palette(image))


def _values(image: Image.Image, as_stored: bool) -> Array:
    array: Array = np.asarray(image)
    # 16-bit grey that is big-endian, or that Pillow's PGM reader has widened to 32 bits.
    if image.mode.startswith("I;") or (image.mode == "I" and image.format == "PPM"):
        array = array.astype(np.uint16)
    if isinstance(image, Tiff):
        array = pillow_tiff.typed(array, image)
        array = array if as_stored else pillow_tiff.scaled(array, image)
    return array[..., None] if array.ndim == 2 else array
