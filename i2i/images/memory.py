"""Images in memory: Pillow images and NumPy arrays."""

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
    """The pixels of an image in memory at its own depth; the counterpart of `read_picture`.

    A Pillow image that is opened but not loaded is read from its file. A loaded Pillow image has
    already lost data: 16-bit colour keeps only its high bytes. The same holds for TIFF files with
    a compression that only Pillow supports.

    Args:
        image: A Pillow image; its EXIF orientation is applied. Or an array `(H, W)` or `(H, W, C)`;
            with 2 or 4 channels, the last one is alpha.
        mode: As for `read`.
        background: The colour behind transparent pixels.
        float_range: As for `read`.

    Returns:
        `(H, W, C)` in uint8 or uint16; labels in uint8.

    Raises:
        DataError: If it is not an image, does not fit the mode, or contains floats while
            `float_range` is missing.
    """
    with naming(None):
        if isinstance(image, Image.Image):
            content = _opened(image, mode, as_stored=float_range is not None)
        else:
            content = _array(image, mode)
        dtype = content.samples.dtype
        if float_range is None and dtype not in (np.bool_, np.uint8, np.uint16):
            raise ValueError(
                f"its values are {dtype} without a declared range: pass uint8 or uint16, or "
                "a tensor (N, C, H, W) in [-1, 1]"
            )
        return decoding.picture_of(
            content, mode, background=background, float_range=float_range
        ).pixels


def _opened(image: Image.Image, mode: Mode, *, as_stored: bool) -> Content:
    file = pillow.untouched(image, mode)
    if file is None:
        return pillow.in_memory(image, mode, as_stored)
    try:
        return decoding.decode(file, mode, None, as_stored=as_stored)
    except tiff.Undecodable:
        return decoding.decode(file, mode, 8, as_stored=as_stored)


def _array(image: Any, mode: Mode) -> Content:
    try:
        array = np.asarray(image)
    except Exception as error:  # NumPy runs the object's code, which may raise anything.
        raise ValueError(f"a {type(image).__name__} is no image") from error
    content = arrays.in_memory(array, mode)
    whole = content.samples.dtype in (np.bool_, np.uint8, np.uint16)
    return replace(content, alpha=whole and content.samples.shape[2] in (2, 4))
