"""Every other format, and plain TIFF, as Pillow reads it, with what it would lose put right."""

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

_LEFT_OUT = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats that hold no pixels themselves; EPS would even start an interpreter."""

_BY_SUFFIX = Image.registered_extensions()
_FORMATS = [name for name in Image.OPEN if name not in _LEFT_OUT]
SUFFIXES = frozenset(suffix for suffix, name in _BY_SUFFIX.items() if name in _FORMATS)
"""In lower case and with their dot."""

_COLOUR_OF = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
_COLOUR_OF |= dict.fromkeys(("CMYK", "YCbCr", "LAB", "HSV"), "RGB")
_INDIRECT = ("P", "PA", "1", "La")
"""Modes whose stored values are not colours or greys."""

_GREY_STEPS = {";2": 85, ";4": 17}
"""What Pillow multiplies greys of few bits with."""

# It would print that a TIFF has more channels than it knows, which tifffile then reads.
logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())


def opened(file: BinaryIO, mode: Mode) -> Image.Image | None:
    """Open a file, its pixels not decoded; None for a TIFF of a kind that Pillow doesn't know.

    Raises:
        ValueError: If it is a decompression bomb or has several frames.
        UnidentifiedImageError: If it is no image.
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
    """Size and channels of an opened image."""
    height, width = image.height, image.width
    if pixels.swaps_sides(_orientation(image)):
        height, width = width, height
    return Header((height, width), _channels(image))


def loses(image: Image.Image) -> bool:
    """Whether it is a TIFF of which Pillow would drop bits or channels."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or _frames(image) > 1:
        return False
    return image.mode not in _INDIRECT and (
        _samples_a_pixel(image) > len(image.getbands())
        or (_samples_a_pixel(image) > 1 and _bits(image) > 8)
    )


def suffices(image: Image.Image, mode: Mode, depth: Depth | None) -> bool:
    """Whether nothing that is asked for is among what Pillow `loses`."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return True
    bands = len(image.getbands())
    # The high bytes of 16 bits are right within one level of 255; what is behind RGB is padding.
    deep_enough = depth == 8 or _bits(image) <= 8
    return deep_enough and (
        _samples_a_pixel(image) == bands or (mode in ("rgb", "gray") and bands > 2)
    )


def decode(image: Image.Image, file: BinaryIO, mode: Mode) -> Content:
    """Decode an opened image."""
    if image.format == "PNG":  # whose checksums decoding skips
        image.verify()
        file.seek(0)
        image = Image.open(file, formats=["PNG"])
    info, orientation = image.info, _stored_orientation(image)
    samples, alpha = (_labels(image), False) if mode == "labels" else _samples(image, file, mode)
    return Content(
        samples, alpha, info.get("icc_profile") or None, density(_dpi(image), orientation)
    )


def in_memory(image: Image.Image, mode: Mode) -> Content:
    """What an image holds that may be no file's: its pixels as Pillow has them, upright."""
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
    """The file of an image that was opened and no more; else None.

    Such an image is its file still, with all that Pillow would lose by loading it. Neither its
    pixels nor its place in the file are changed.

    Raises:
        ValueError: As `opened` does.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None or not image.tile:
        return None
    place = image.fp.tell()
    image.fp.seek(0)
    file = io.BytesIO(image.fp.read())
    image.fp.seek(place)
    fresh = opened(file, mode)
    return file if fresh is not None and _alike(fresh, image) else None


def _alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether neither had `draft` called, or its EXIF changed, since it was opened."""
    return (one.mode, one.size, _stored_orientation(one)) == (
        other.mode,
        other.size,
        _stored_orientation(other),
    )


def _dpi(image: Image.Image) -> Any:
    """The resolution, but not the one that Pillow makes up for a JPEG whose EXIF has none."""
    made_up = (
        image.format in ("JPEG", "MPO")
        and not image.info.get("jfif_unit")
        and ExifTags.Base.XResolution not in image.getexif()
    )
    return None if made_up else image.info.get("dpi")


def _frames(image: Image.Image) -> int:
    # An MPO is a photo with its previews or depth maps behind it, as phones write them.
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def _orientation(image: Image.Image) -> int:
    """How an image is still to be turned; Pillow turns TIFF files itself while loading them."""
    return 1 if image.format == "TIFF" else _stored_orientation(image)


def _stored_orientation(image: Image.Image) -> int:
    # Of a PNG Pillow would decode all the pixels to look for EXIF behind them, where nobody writes
    # it.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _samples(image: Image.Image, file: BinaryIO | None, mode: Mode) -> tuple[Array, bool]:
    """The upright pixels as stored, and whether their last channel is alpha.

    Args:
        image: Opened and not loaded yet, or of no file.
        file: The image's file, if it has one.
        mode: What it is read as.
    """
    if (frames := _frames(image)) > 1:
        return _pages(image, frames), False
    deep = file if image.mode in ("RGB", "RGBA", "LA") and _is_deep(image) else None
    if "transparency" in image.info and (deep is not None or image.mode.startswith("I")):
        raise ValueError("has 16 bits and one transparent value: save it with alpha instead")
    orientation = _orientation(image)
    if deep is not None:
        if image.format != "PNG":
            raise ValueError(
                f"has 16-bit colour, which is read from PNG, TIFF and .npy, not {image.format}"
            )
        array = decode_deep(deep)
        return pixels.upright(array, orientation), array.shape[2] in (2, 4)
    image.load()
    if _has_transparent_colours(image):
        image = image.convert("RGBA")
    if image.mode == "CMYK" and mode != "channels":
        cmyk.warn_once(getattr(file, "name", "one in memory"))
    colour = _COLOUR_OF.get(image.mode, image.mode)
    # Only where it changes: a converted image forgets its format.
    if colour != image.mode and (image.mode in _INDIRECT or mode != "channels"):
        image = image.convert(colour)
    array = _values(image)
    return pixels.upright(array, orientation), image.mode in ("LA", "RGBA")


def _channels(image: Image.Image) -> int:
    """How many channels mode "channels" will give."""
    if (frames := _frames(image)) > 1:
        return frames
    if "LA;16" in _raw_mode(image):  # Pillow makes colour of it
        return 2
    if _has_transparent_colours(image):
        return 4
    mode = _COLOUR_OF[image.mode] if image.mode in _INDIRECT else image.mode
    return len(Image.new(mode, (1, 1)).getbands())


def _is_deep(image: Image.Image) -> bool:
    """Whether the file has more than 8 bits a channel, of which Pillow's colour keeps 8."""
    if image.format == "TIFF":  # and `suffices`
        return False
    raw = _raw_mode(image)
    if image.format == "PPM":  # a channel's name and its largest value
        return any(int(number) > 255 for number in re.findall(r"\d+", raw))
    return ";16" in raw


def _samples_a_pixel(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(image.tag_v2.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))


def _bits(image: TiffImagePlugin.TiffImageFile) -> int:
    return int(max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))


def _has_transparent_colours(image: Image.Image) -> bool:
    """Whether one of its values, or its palette, says what is transparent."""
    return "transparency" in image.info or (image.mode == "P" and image.has_transparency_data)


def _raw_mode(image: Image.Image) -> str:
    """How the file keeps its pixels, such as "RGB;16B"; to be asked before they are loaded."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return " ".join(str(tile.args) for tile in tiles[:1])


def _pages(image: Image.Image, frames: int) -> Array:
    """The pages of a TIFF as channels."""
    pages = []
    for page in range(frames):
        image.seek(page)
        pages.append(_values(image))
    if len({(page.shape, page.dtype) for page in pages}) > 1 or pages[0].shape[2] != 1:
        raise ValueError("its pages are its channels, so they must be grey and of one size")
    return np.concatenate(pages, axis=2)


def _labels(image: Image.Image) -> Array:
    """A palette's indices, or grey values as stored."""
    if image.mode not in ("P", "L", "1"):
        raise ValueError(f"is {image.mode}, not a label map: indices come as palette or 8-bit grey")
    step = next((step for bits, step in _GREY_STEPS.items() if f"L{bits}" in _raw_mode(image)), 1)
    orientation = _orientation(image)
    image.load()
    return pixels.upright(_values(image).astype(np.uint8) // np.uint8(step), orientation)


def _values(image: Image.Image) -> Array:
    array: Array = np.asarray(image)
    # 16-bit grey: big-endian, or widened by Pillow's PGM reader.
    if image.mode.startswith("I;") or (image.mode == "I" and image.format == "PPM"):
        array = array.astype(np.uint16)
    if array.dtype == np.uint16 and isinstance(image, TiffImagePlugin.TiffImageFile):
        array = _as_tags_say(array, image)
    return array[..., None] if array.ndim == 2 else array


def _as_tags_say(array: Array, image: TiffImagePlugin.TiffImageFile) -> Array:
    """Deep greys of a TIFF from black to white, where Pillow gives them as stored."""
    if image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == (12,):
        array = np.rint(array * (65535 / 4095)).astype(np.uint16)
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return np.uint16(65535) - array if white_is_zero else array
