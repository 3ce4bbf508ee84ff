"""Read image files at a requested depth and number of channels."""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import ImageColor

from i2i.images import arrays, pillow, pillow_tiff, pixels, tiff
from i2i.images.content import Content, Header, Mode, Picture
from i2i.images.guards import BoundedFile, naming, not_a_picture
from i2i.images.metadata import without_metadata
from i2i.images.pixels import Depth, FloatRange
from i2i.images.tiff import is_tiff
from i2i.images.tiff_pages import is_georeferenced
from i2i.images.types import Array

SUFFIXES = pillow.SUFFIXES | {arrays.SUFFIX}
"""Suffixes of image files, in lower case, with the dot."""


def header(path: Path, mode: Mode = "rgb") -> Header:
    """Read only the header of a file.

    Raises:
        DataError: If the file is empty, not an image, a decompression bomb, or has several frames.
    """
    with naming(path), BoundedFile(path) as stream:
        if path.suffix.lower() == arrays.SUFFIX:
            return arrays.header(path)
        file = without_metadata(stream, head=True)
        image = pillow.opened(file, mode)
        if image is None or pillow_tiff.loses(image):
            found = tiff.header(file)
        else:
            found = pillow.header(image, mode)
        return replace(found, georeferenced=is_tiff(file) and is_georeferenced(file))


def read(
    path: Path,
    mode: Mode = "rgb",
    *,
    depth: Depth = 8,
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Array:
    """Decode an image file.

    The EXIF orientation is applied. Transparent pixels are blended with the background, except in
    mode "channels". 16 bits become 8 as `round(value / 257)`, 8 become 16 as `value * 257`.

    Args:
        path: An image in any format that Pillow reads, a TIFF with any number of channels, or an
            array `(H, W)` or `(H, W, C)` as .npy.
        mode: "rgb" gives 3 channels, "gray" 1 (ITU-R 601 luma). "labels" gives 1: palette indices,
            or grey values as stored. "channels" gives all channels of the file, including alpha;
            in this mode, the pages of a multi-page TIFF are the channels.
        depth: Bits per channel. 16-bit colour is supported for PNG, TIFF and .npy files. TIFF
            compressions that only Pillow supports, such as LZW, are read at depth 8 only: Pillow
            keeps the high byte.
        background: The colour behind transparent pixels, as a Pillow colour name.
        float_range: The values of black and white, for files of any type, but not for label maps
            and alpha. Values outside this range are clipped. Floats, signed integers and integers
            of 32 bits and more can't be read without it; other files are black at 0 and white at
            their largest possible value.

    Returns:
        `(H, W, C)` in uint8 (depth 8) or uint16 (depth 16); labels in uint8.

    Raises:
        DataError: If the file is damaged, truncated, empty, not an image or a decompression bomb,
            has several frames, contains floats while `float_range` is missing, or is a label map
            that was compressed with loss. The message names the file.
    """
    return read_picture(
        path, mode, depth=depth, background=background, float_range=float_range
    ).pixels


def read_picture(
    path: Path,
    mode: Mode = "rgb",
    *,
    depth: Depth | None = None,
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Picture:
    """Decode an image file as `read` does, and also return its alpha, ICC profile and dpi.

    Args:
        path: As for `read`.
        mode: As for `read`.
        depth: Bits per channel. None keeps the file's depth: 8, or 16 for all deeper files.
        background: As for `read`.
        float_range: As for `read`.

    Returns:
        The pixels as `read` returns them, the alpha with the same orientation and depth, the ICC
        profile and the dots per inch. The alpha is None in mode "channels", where it is one of the
        channels, and in mode "labels". Profile and dpi are None for .npy files.

    Raises:
        DataError: As `read` does.
    """
    with naming(path), BoundedFile(path) as file:
        if path.suffix.lower() == arrays.SUFFIX:
            content = arrays.decode(path, mode)
        else:
            content = decode(file, mode, depth, as_stored=float_range is not None)
        return picture_of(
            content, mode, depth=depth, background=background, float_range=float_range
        )


def decode(file: BinaryIO, mode: Mode, depth: Depth | None, *, as_stored: bool = False) -> Content:
    """Decode a file other than .npy with Pillow or tifffile, whichever loses nothing requested.

    Args:
        file: The file.
        mode: As for `read`.
        depth: As for `read_picture`.
        as_stored: Whether to keep the stored values of a TIFF, instead of scaling them to black and
            white by its tags.

    Raises:
        Exception: Decoders raise nearly any exception for damaged files.
    """
    file = without_metadata(file)
    image = pillow.opened(file, mode)
    if image is None or pillow_tiff.loses(image):
        try:
            return tiff.decode(file, mode, as_stored)
        except tiff.Undecodable:
            if image is None or not pillow_tiff.suffices(image, mode, depth):
                raise
    return pillow.decode(image, file, mode, as_stored)


def picture_of(
    content: Content,
    mode: Mode,
    *,
    depth: Depth | None = None,
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Picture:
    """Convert decoded content to the requested depth and channels.

    Args:
        content: Content that was decoded in the same mode.
        mode: As for `read`.
        depth: As for `read_picture`.
        background: As for `read`.
        float_range: As for `read`.

    Raises:
        ValueError: If the content is neither grey nor colour, or contains floats while
            `float_range` is missing.
    """
    array, alpha = content.samples, None
    if mode != "labels":
        depth = depth or _own_depth(array)
        array = pixels.to_depth(array, depth, float_range)
        if mode != "channels" and content.alpha:
            alpha = pixels.to_depth(content.samples[..., -1:], depth)
            if float_range is not None:
                array[..., -1:] = alpha
            array = pixels.composite(array, ImageColor.getrgb(background)[:3])
    if mode in ("rgb", "gray"):
        if array.shape[2] not in (1, 3):
            raise not_a_picture(array.shape[2])
        array = pixels.as_rgb(array) if mode == "rgb" else pixels.as_gray(array)
    return Picture(array, alpha, content.profile, content.dpi, content.palette)


def is_colour(name: str) -> bool:
    """Whether Pillow knows a colour of this name, such as "white" or "#ff8800"."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        return False
    return True


def _own_depth(array: Array) -> Depth:
    return 8 if array.dtype.itemsize == 1 else 16
