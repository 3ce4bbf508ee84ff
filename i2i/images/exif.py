"""Orientation and resolution of a Pillow image, whatever else its EXIF contains."""

from contextlib import suppress
from typing import Any

from PIL import ExifTags, Image, TiffImagePlugin, TiffTags

from i2i.images.content import orientation_of

_ORIENTATION = ExifTags.Base.Orientation


def stored_orientation(image: Image.Image) -> int:
    """The orientation of an image that is not loaded; 1 if there is none or it is invalid."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return orientation_of(_value(image.tag_v2, _ORIENTATION))
    # For a PNG, `getexif` would decode all pixels to search for EXIF after them, where no program
    # writes it.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return orientation_of(_value(_readable(image), _ORIENTATION))


def orientation_to_apply(image: Image.Image) -> int:
    """The orientation that is left to apply; Pillow applies it to TIFF files while loading them."""
    return 1 if image.format == "TIFF" else stored_orientation(image)


def load(image: Image.Image) -> None:
    """Load the pixels; of a TIFF, without reading what its EXIF points to."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        exif = _readable(image)
        for tag in (*TiffTags.TAGS_V2_GROUPS, _ORIENTATION):
            with suppress(KeyError):
                del exif[tag]
        if (orientation := stored_orientation(image)) > 1:
            exif[_ORIENTATION] = orientation
    image.load()


def dpi(image: Image.Image) -> Any:
    """The resolution, without the default that Pillow adds to a JPEG whose EXIF has none."""
    added_by_pillow = (
        image.format in ("JPEG", "MPO")
        and not image.info.get("jfif_unit")
        and ExifTags.Base.XResolution not in _readable(image)
    )
    return None if added_by_pillow else image.info.get("dpi")


def _readable(image: Image.Image) -> Image.Exif:
    """The part of the EXIF that Pillow can parse."""
    with suppress(Exception):  # Pillow raises nearly any exception for damaged EXIF.
        return image.getexif()
    return image.getexif()  # the second call returns what the first one parsed


def _value(tags: Any, tag: int) -> object:
    """A tag's value; None if it is missing or can't be parsed."""
    try:
        return tags.get(tag)
    except Exception:  # as above
        return None
