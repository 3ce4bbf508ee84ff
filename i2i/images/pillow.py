"""Read images with Pillow, and correct what Pillow would lose.

This module reads all formats except .npy. It reads TIFF only where Pillow loses nothing that is
requested.
"""

import io
import logging
import re
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from i2i.images import cmyk, pixels
from i2i.images.content import Content, Header, Mode, density
from i2i.images.guards import check_size, one_frame_only
from i2i.images.pixels import Depth
from i2i.images.png import decode_deep
from i2i.images.tiff import is_tiff
from i2i.images.types import Array

_EXCLUDED = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats without pixels of their own. Opening an EPS would even start an interpreter."""

_BY_SUFFIX = Image.registered_extensions()
_FORMATS = [name for name in Image.OPEN if name not in _EXCLUDED]
SUFFIXES = frozenset(suffix for suffix, name in _BY_SUFFIX.items() if name in _FORMATS)
"""Suffixes of the formats, in lower case, with the dot."""

_COLOUR_OF = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
_COLOUR_OF |= dict.fromkeys(("CMYK", "YCbCr", "LAB", "HSV"), "RGB")
_INDIRECT = ("P", "PA", "1", "La")
"""Modes whose stored values are not yet colours or grey values."""

_GREY_STEPS = {";2": 85, ";4": 17}
"""The factor by which Pillow multiplies 2-bit and 4-bit grey values."""

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
    frames = _frames(image)
    check_size(image.width * image.height * frames)
    if not (mode == "channels" and image.format == "TIFF"):
        one_frame_only(frames)
    return image


def header(image: Image.Image) -> Header:
    """The size and channels of an opened image."""
    height, width = image.height, image.width
    if pixels.swaps_sides(_orientation(image)):
        height, width = width, height
    return Header((height, width), _channels(image))


def loses(image: Image.Image) -> bool:
    """Whether the image is a TIFF of which Pillow would drop bits or channels."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or _frames(image) > 1:
        return False
    return image.mode not in _INDIRECT and (
        _samples_a_pixel(image) > len(image.getbands())
        or (_samples_a_pixel(image) > 1 and _bits(image) > 8)
    )


def suffices(image: Image.Image, mode: Mode, depth: Depth | None) -> bool:
    """Whether Pillow reads all the data that is requested, although it `loses` other data."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return True
    bands = len(image.getbands())
    # The high bytes of 16 bits are within one level of the exact 8-bit value. A channel after RGB
    # is padding.
    deep_enough = depth == 8 or _bits(image) <= 8
    return deep_enough and (
        _samples_a_pixel(image) == bands or (mode in ("rgb", "gray") and bands > 2)
    )


def decode(image: Image.Image, file: BinaryIO, mode: Mode) -> Content:
    """Decode an opened image file."""
    if image.format == "PNG":  # decoding does not check the checksums
        image.verify()
        file.seek(0)
        image = Image.open(file, formats=["PNG"])
    info, orientation = image.info, _stored_orientation(image)
    samples, alpha = (_labels(image), False) if mode == "labels" else _samples(image, file, mode)
    return Content(
        samples, alpha, info.get("icc_profile") or None, density(_dpi(image), orientation)
    )


def in_memory(image: Image.Image, mode: Mode) -> Content:
    """The upright pixels of an image in memory, with or without a file, as loaded by Pillow."""
    image.load()
    frames, place = _frames(image), image.tell()
    if not (mode == "channels" and image.format == "TIFF"):
        one_frame_only(frames)
    if mode == "labels":
        return Content(_labels(image))
    content = Content(*_samples(image, None, mode))
    if frames > 1:
        image.seek(place)
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
    fresh = opened(file, mode)
    return file if fresh is not None and _unmodified(fresh, image) else None


def _unmodified(fresh: Image.Image, image: Image.Image) -> bool:
    """Whether no call of `draft` and no edit of the EXIF has changed an opened image."""
    return (fresh.mode, fresh.size, _stored_orientation(fresh)) == (
        image.mode,
        image.size,
        _stored_orientation(image),
    )


def _dpi(image: Image.Image) -> Any:
    """The resolution, without the default that Pillow adds to a JPEG whose EXIF has none."""
    added_by_pillow = (
        image.format in ("JPEG", "MPO")
        and not image.info.get("jfif_unit")
        and ExifTags.Base.XResolution not in image.getexif()
    )
    return None if added_by_pillow else image.info.get("dpi")


def _frames(image: Image.Image) -> int:
    # Phones write MPO: one photo, followed by its previews or depth maps.
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def _orientation(image: Image.Image) -> int:
    """The orientation that is left to apply; Pillow applies it to TIFF files while loading them."""
    return 1 if image.format == "TIFF" else _stored_orientation(image)


def _stored_orientation(image: Image.Image) -> int:
    # For a PNG, `getexif` would decode all pixels to search for EXIF after them, where no program
    # writes it.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _samples(image: Image.Image, file: BinaryIO | None, mode: Mode) -> tuple[Array, bool]:
    """The upright pixels as stored, and whether their last channel is alpha.

    Args:
        image: An image that is not loaded yet, or that has no file.
        file: The image's file, or None.
        mode: The mode to read it in.
    """
    if (frames := _frames(image)) > 1:
        return _pages(image, frames), False
    deep = file if image.mode in ("RGB", "RGBA", "LA") and _is_deep(image) else None
    if "transparency" in image.info and (deep is not None or image.mode.startswith("I")):
        raise ValueError("has 16 bits and one transparent value: save it with alpha instead")
    orientation = _orientation(image)
    if deep is not None:
        if image.format != "PNG":
            raise ValueError(f"has 16-bit colour in {image.format}; save it as PNG, TIFF or .npy")
        array = decode_deep(deep)
        return pixels.upright(array, orientation), array.shape[2] in (2, 4)
    image.load()
    if _has_transparent_colours(image):
        image = image.convert("RGBA")
    if image.mode == "CMYK" and mode != "channels":
        cmyk.warn_once(getattr(file, "name", "an image in memory"))
    colour = _COLOUR_OF.get(image.mode, image.mode)
    # Convert only if needed: a converted image loses its format.
    if colour != image.mode and (image.mode in _INDIRECT or mode != "channels"):
        image = image.convert(colour)
    array = _values(image)
    return pixels.upright(array, orientation), image.mode in ("LA", "RGBA")


def _channels(image: Image.Image) -> int:
    """The number of channels in mode "channels"."""
    if (frames := _frames(image)) > 1:
        return frames
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


def _samples_a_pixel(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))


def _bits(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))


def _has_transparent_colours(image: Image.Image) -> bool:
    """Whether a transparent colour value or palette entry is declared."""
    return "transparency" in image.info or (image.mode == "P" and image.has_transparency_data)


def _raw_mode(image: Image.Image) -> str:
    """The storage format of the pixels, such as "RGB;16B"; known only before they are loaded."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return " ".join(str(tile.args) for tile in tiles[:1])


def _pages(image: Image.Image, frames: int) -> Array:
    """Decode the pages of a TIFF as channels."""
    pages = []
    for page in range(frames):
        image.seek(page)
        pages.append(_values(image))
    if len({(page.shape, page.dtype) for page in pages}) > 1 or pages[0].shape[2] != 1:
        raise ValueError("has pages as channels: the pages must be grey and of equal size")
    return np.concatenate(pages, axis=2)


def _labels(image: Image.Image) -> Array:
    """Palette indices, or grey values as stored."""
    if image.mode not in ("P", "L", "1"):
        raise ValueError(f"is {image.mode}, not a label map: indices must be palette or 8-bit grey")
    step = next((step for bits, step in _GREY_STEPS.items() if f"L{bits}" in _raw_mode(image)), 1)
    orientation = _orientation(image)
    image.load()
    return pixels.upright(_values(image).astype(np.uint8) // np.uint8(step), orientation)


def _values(image: Image.Image) -> Array:
    array: Array = np.asarray(image)
    # 16-bit grey that is big-endian, or that Pillow's PGM reader has widened to 32 bits.
    if image.mode.startswith("I;") or (image.mode == "I" and image.format == "PPM"):
        array = array.astype(np.uint16)
    if array.dtype == np.uint16 and isinstance(image, TiffImagePlugin.TiffImageFile):
        array = _scaled_by_tags(array, image)
    return array[..., None] if array.ndim == 2 else array


def _scaled_by_tags(array: Array, image: TiffImagePlugin.TiffImageFile) -> Array:
    """Scale 16-bit grey of a TIFF from black to white; Pillow returns the stored values."""
    if image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == (12,):
        array = np.rint(array * (65535 / 4095)).astype(np.uint16)
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return np.uint16(65535) - array if white_is_zero else array
