"""Images that are in memory already, as Pillow or numpy hold them."""

from typing import Any

import numpy as np
from PIL import Image, ImageColor

from i2i.datasets import pixels
from i2i.datasets.base import Array
from i2i.datasets.images.content import Mode
from i2i.errors import DataError


def pixels_of(image: Any, mode: Mode = "rgb", background: str = "white") -> Array:
    """The pixels of an image in memory, as `read` gives those of a file.

    Args:
        image: A Pillow image, or an array `(H, W, C)` or `(H, W)` in uint8, uint16 or bool.
        mode: What it is wanted as.
        background: What transparent pixels show.

    Returns:
        `(H, W, C)` in uint8 or uint16.

    Raises:
        DataError: If it is anything else.
    """
    array = _array(image, mode)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype == np.bool_:
        array = pixels.to_depth(array, 8)
    if array.ndim != 3 or array.size == 0 or array.dtype not in (np.uint8, np.uint16):
        raise DataError(
            [
                f"an image in memory is {array.dtype} {array.shape}; give (height, width, channels)"
                " in uint8 or uint16, or a tensor (N, C, H, W) in [-1, 1]"
            ]
        )
    if mode in ("channels", "labels"):
        return array
    if array.shape[2] in (2, 4):
        array = pixels.composite(array, ImageColor.getrgb(background)[:3])
    if array.shape[2] not in (1, 3):
        raise DataError([f"an image in memory has {array.shape[2]} channels, not {mode}'s"])
    return pixels.as_rgb(array) if mode == "rgb" else pixels.as_gray(array)


def _array(image: Any, mode: Mode) -> Array:
    if isinstance(image, Image.Image) and mode in ("rgb", "gray"):
        if image.has_transparency_data:
            image = image.convert("RGBA")
        elif image.mode not in ("1", "L", "RGB") and not image.mode.startswith("I;16"):
            image = image.convert("RGB")
    try:
        return np.asarray(image)
    except Exception as error:  # numpy asks whatever it is given
        raise DataError([f"a {type(image).__name__} is no image"]) from error
