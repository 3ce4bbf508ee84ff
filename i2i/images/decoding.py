"""Image files read for what they hold, at the depth and in the channels that are asked for."""

from pathlib import Path
from typing import BinaryIO

from PIL import ImageColor

from i2i.images import arrays, pillow, pixels, tiff
from i2i.images.content import Content, Header, Mode, Picture
from i2i.images.guards import naming, not_a_picture
from i2i.images.pixels import Depth, FloatRange
from i2i.images.types import Array

SUFFIXES = pillow.SUFFIXES | {arrays.SUFFIX}
"""Suffixes of image files, in lower case and with their dot."""


def header(path: Path, mode: Mode = "rgb") -> Header:
    """Read a file's header only.

    Raises:
        DataError: If the file is empty, no image, a decompression bomb, or has several frames.
    """
    with naming(path), path.open("rb") as file:
        if path.suffix.lower() == arrays.SUFFIX:
            return arrays.header(path)
        image = pillow.opened(file, mode)
        if image is None or pillow.loses(image):
            return tiff.header(file)
        return pillow.header(image)


def read(
    path: Path,
    mode: Mode = "rgb",
    *,
    depth: Depth = 8,
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Array:
    """Decode a whole file.

    EXIF's orientation is applied. Transparency is composited over the background, except in mode
    "channels". 16 bits become 8 as `round(value / 257)`, 8 become 16 as `value * 257`.

    Args:
        path: An image in any format of Pillow's, a TIFF of any number of channels, or an array
            `(H, W)` or `(H, W, C)` as .npy.
        mode: "rgb" gives 3 channels, "gray" 1 (ITU-R 601 luma). "labels" gives 1, a palette's
            indices or the grey values as stored. "channels" gives what is in the file, alpha
            included; here the pages of a multi-page TIFF are the channels.
        depth: Bits a channel. Colour of 16 bits is read from PNG, TIFF and .npy files. A TIFF
            whose compression only Pillow knows, such as LZW, is read at depth 8, by its high byte.
        background: What transparent pixels show, a colour as Pillow names them.
        float_range: The values that are black and white in float files and 32-bit integer files;
            those beyond are cut off.

    Returns:
        `(H, W, C)` in uint8 (depth 8) or uint16 (depth 16); labels in uint8.

    Raises:
        DataError: Naming the file, if it is damaged, truncated, empty, no image, a decompression
            bomb, has several frames, or holds floats without a declared range.
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
    """Decode a whole file as `read` does, and keep what else is in it.

    Args:
        path: As for `read`.
        mode: As for `read`.
        depth: Bits a channel; None keeps the file's own: 8, or 16 for all that is deeper.
        background: As for `read`.
        float_range: As for `read`.

    Returns:
        The pixels as `read` gives them, and the file's alpha, upright and at the same depth; none
        in the modes "channels", where it is a channel like any other, and "labels". Its ICC profile
        and dots per inch; none of an .npy.

    Raises:
        DataError: As `read` does.
    """
    with naming(path), path.open("rb") as file:
        if path.suffix.lower() == arrays.SUFFIX:
            content = arrays.decode(path, mode)
        else:
            content = decode(file, mode, depth)
        return picture_of(
            content, mode, depth=depth, background=background, float_range=float_range
        )


def decode(file: BinaryIO, mode: Mode, depth: Depth | None) -> Content:
    """What a file other than .npy holds, by the library that loses nothing of what is asked for.

    Raises:
        Exception: Nearly anything if it is damaged.
    """
    image = pillow.opened(file, mode)
    if image is None or pillow.loses(image):
        try:
            return tiff.decode(file, mode)
        except tiff.Undecodable:
            if image is None or not pillow.suffices(image, mode, depth):
                raise
    return pillow.decode(image, file, mode)


def picture_of(
    content: Content,
    mode: Mode,
    *,
    depth: Depth | None = None,
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Picture:
    """What was decoded, at the depth and in the channels that are asked for.

    Args:
        content: Decoded in the same mode.
        mode: As for `read`.
        depth: As for `read_picture`.
        background: As for `read`.
        float_range: As for `read`.

    Raises:
        ValueError: If it is no picture, or holds floats without a declared range.
    """
    array, alpha = content.samples, None
    if mode != "labels":
        array = pixels.to_depth(array, depth or _own_depth(array), float_range)
    if mode in ("rgb", "gray"):
        if content.alpha:
            alpha = array[..., -1:]
            array = pixels.composite(array, ImageColor.getrgb(background)[:3])
        if array.shape[2] not in (1, 3):
            raise not_a_picture(array.shape[2])
        array = pixels.as_rgb(array) if mode == "rgb" else pixels.as_gray(array)
    return Picture(array, alpha, content.profile, content.dpi)


def is_colour(name: str) -> bool:
    """Whether Pillow knows a colour of this name, such as "white" or "#ff8800"."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        return False
    return True


def _own_depth(array: Array) -> Depth:
    return 8 if array.dtype.itemsize == 1 else 16
