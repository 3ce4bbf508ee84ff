"""Images that are in memory already, as Pillow or NumPy hold them."""

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from i2i.images import arrays, decoding, pillow, tiff
from i2i.images.content import Content, Mode
from i2i.images.guards import naming
from i2i.images.pixels import FloatRange
from i2i.images.types import Array


def pixels_of(
    image: Any,
    mode: Mode = "rgb",
    background: str = "white",
    float_range: FloatRange | None = None,
) -> Array:
    """The pixels of an image in memory at its own depth, as `read_picture` gives those of a file.

    An image that Pillow has opened and not loaded yet is read from its file. One that it has loaded
    holds what Pillow made of it: of 16-bit colour the high bytes, as of a TIFF whose compression
    only Pillow knows.

    Args:
        image: A Pillow image, whose EXIF orientation is applied; or an array `(H, W)` or
            `(H, W, C)`, whose 2nd or 4th channel is alpha.
        mode: As for `read`.
        background: What transparent pixels show.
        float_range: The values of floats and 32-bit integers that are black and white.

    Returns:
        `(H, W, C)` in uint8 or uint16; labels in uint8.

    Raises:
        DataError: If it is no image, none of that mode, or of floats without a range.
    """
    with naming(None):
        content = _opened(image, mode) if isinstance(image, Image.Image) else _array(image, mode)
        dtype = content.samples.dtype
        if float_range is None and dtype not in (np.bool_, np.uint8, np.uint16):
            raise ValueError(
                f"its values are {dtype}, whose black and white nobody knows: give uint8 or uint16,"
                " or a tensor (N, C, H, W) in [-1, 1]"
            )
        return decoding.picture_of(
            content, mode, background=background, float_range=float_range
        ).pixels


def _opened(image: Image.Image, mode: Mode) -> Content:
    file = pillow.untouched(image, mode)
    if file is None:
        return pillow.in_memory(image, mode)
    try:
        return decoding.decode(file, mode, None)
    except tiff.Undecodable:
        return decoding.decode(file, mode, 8)


def _array(image: Any, mode: Mode) -> Content:
    try:
        array = np.asarray(image)
    except Exception as error:  # NumPy asks whatever it is given.
        raise ValueError(f"a {type(image).__name__} is no image") from error
    content = arrays.in_memory(array, mode)
    whole = content.samples.dtype in (np.bool_, np.uint8, np.uint16)
    return replace(content, alpha=whole and content.samples.shape[2] in (2, 4))
