"""The one place that opens image files: every pixel decoded, nothing lost without a word.

Pillow is made for showing pictures. It stops at the first frame, clips 16 bits to 8, shows hidden
colours behind transparency and turns label indices into colours. Here each of these is either done
properly or refused.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from PIL import ExifTags, Image, ImageColor, ImageFile, TiffImagePlugin, UnidentifiedImageError

from i2i.datasets import pixels
from i2i.datasets.base import Array, Size
from i2i.datasets.pixels import Depth, FloatRange
from i2i.errors import DataError

Mode = Literal["rgb", "gray", "labels", "channels"]
"""What a file is read as: colours, grey values, label indices, or its channels as they are."""

NUMPY = ".npy"
_LEFT_OUT = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"})
"""Formats that hold no pixels themselves; EPS would even start an interpreter."""

_BY_SUFFIX = Image.registered_extensions()
_FORMATS = [name for name in Image.OPEN if name not in _LEFT_OUT]
SUFFIXES = frozenset(s for s, name in _BY_SUFFIX.items() if name in _FORMATS) | {NUMPY}
"""Suffixes of image files, in lower case and with their dot."""

_COLOUR_OF = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
_COLOUR_OF |= dict.fromkeys(("CMYK", "YCbCr", "LAB", "HSV"), "RGB")
_INDIRECT = ("P", "PA", "1")
"""Modes whose stored values are not colours or greys."""

_GREY_STEPS = {";2": 85, ";4": 17}
"""What Pillow multiplies greys of few bits with."""

_cmyk_files = count()


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels are decoded.

    Args:
        size: Height and width in pixels as it will be read, so after EXIF's rotation.
        channels: Channels in mode "channels".
    """

    size: Size
    channels: int


def header(path: Path, mode: Mode = "rgb") -> Header:
    """Read a file's header only.

    Raises:
        DataError: If the file is empty, no image, a decompression bomb, or has several frames.
    """
    with _naming(path), path.open("rb") as file:
        if path.suffix.lower() == NUMPY:
            height, width, channels = _array(path).shape
            return Header((height, width), channels)
        image = _open(file, mode)
        channels = _channels(image)
        height, width = image.height, image.width
        if pixels.swaps_sides(_orientation(image)):
            height, width = width, height
        return Header((height, width), channels)


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
        path: An image in any format of Pillow's, or an array `(H, W)` or `(H, W, C)` as .npy.
        mode: "rgb" gives 3 channels, "gray" 1 (ITU-R 601 luma). "labels" gives 1, a palette's
            indices or the grey values as stored. "channels" gives what is in the file, alpha
            included; here the pages of a multi-page TIFF are the channels.
        depth: Bits a channel. Colour of 16 bits is read from PNG and .npy files; at depth 8 from
            TIFF too, by its high byte.
        background: What transparent pixels show, a colour as Pillow names them.
        float_range: The values that are black and white in float files and 32-bit integer files;
            those beyond are cut off.

    Returns:
        `(H, W, C)` in uint8 (depth 8) or uint16 (depth 16); labels in uint8.

    Raises:
        DataError: Naming the file, if it is damaged, truncated, empty, no image, a decompression
            bomb, has several frames, or holds floats without a declared range.
    """
    with _naming(path), path.open("rb") as file:
        if path.suffix.lower() == NUMPY:
            array, alpha = _array(path), False
            array = np.array(array, array.dtype.newbyteorder("="))
            if mode == "labels":
                return _label_array(array)
        else:
            image = _verified(file, mode)
            if mode == "labels":
                return _labels(image)
            array, alpha = _samples(image, file, mode, depth)
        if alpha and mode != "channels":
            whole = pixels.to_depth(array, depth, float_range)
            array = pixels.composite(whole, ImageColor.getrgb(background)[:3])
        array = pixels.to_depth(array, depth, float_range)
        if mode == "channels":
            return array
        if array.shape[2] not in (1, 3):
            raise ValueError(f'has {array.shape[2]} channels; read it in mode "channels"')
        return pixels.as_rgb(array) if mode == "rgb" else pixels.as_gray(array)


def resize(array: Array, size: Size, *, labels: bool = False) -> Array:
    """Resize `(H, W, C)` to (height, width).

    Bicubic with antialiasing, each channel by itself, rounded and cut to the type's range, as
    Pillow does it; labels take their nearest neighbour.
    """
    if array.shape[:2] == size:
        return array
    wanted = size[1], size[0]
    if labels:
        channels = [
            Image.fromarray(array[..., c]).resize(wanted, Image.Resampling.NEAREST)
            for c in range(array.shape[2])
        ]
        return np.stack([np.asarray(channel) for channel in channels], axis=2)
    if array.dtype == np.uint8 and array.shape[2] == 3:
        return np.asarray(Image.fromarray(array).resize(wanted, Image.Resampling.BICUBIC))
    floats = [
        np.asarray(
            Image.fromarray(array[..., c].astype(np.float32)).resize(
                wanted, Image.Resampling.BICUBIC
            )
        )
        for c in range(array.shape[2])
    ]
    top = np.iinfo(array.dtype).max
    resized: Array = np.rint(np.stack(floats, axis=2)).clip(0, top).astype(array.dtype)
    return resized


def save_image(array: Array, path: Path) -> Path:
    """Write `(H, W, C)` losslessly; folders are made as needed.

    Args:
        array: uint8 with 1 or 3 channels and uint16 with 1 become a PNG, all others an .npy.
        path: Where to, without suffix.

    Returns:
        The file, with its suffix.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = array.shape[2]
    if channels == 1 or (channels == 3 and array.dtype == np.uint8):
        path = path.with_name(f"{path.name}.png")
        path.write_bytes(png_bytes(array))
    else:
        path = path.with_name(f"{path.name}{NUMPY}")
        np.save(path, array)
    return path


def png_bytes(array: Array) -> bytes:
    """Encode uint8 `(H, W, 1 or 3)` or uint16 `(H, W, 1)` as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(buffer, "PNG")
    return buffer.getvalue()


def from_png(data: bytes) -> Array:
    """Decode a PNG that a program of ours made: `(H, W, 3)` uint8."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def is_colour(name: str) -> bool:
    """Whether Pillow knows a colour of this name, such as "white" or "#ff8800"."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        return False
    return True


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what goes wrong within into a `DataError` that names the file and the reason."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise DataError([f"{path}: {_what_it_is(path)}"]) from error
    except OSError as error:
        raise DataError([f"{path}: {error.strerror or error}"]) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged data.
        raise DataError([f"{path}: {error or type(error).__name__}"]) from error


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "the file is empty"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "is HTML or XML, not an image"
    return "is not an image, or damaged at its very beginning"


def _open(file: BinaryIO, mode: Mode) -> Image.Image:
    image = Image.open(file, formats=_FORMATS)
    frames = _frames(image)
    # Pillow only warns up to twice its limit, and silencing or raising warnings isn't thread-safe.
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height * frames > limit:
        raise ValueError(
            f"has {image.width * image.height * frames:,} pixels, more than the {limit:,} that "
            "are safe to decode: a decompression bomb?"
        )
    if frames > 1 and not (mode == "channels" and image.format == "TIFF"):
        raise ValueError(f"has {frames} frames or pages; give each picture a file of its own")
    return image


def _verified(file: BinaryIO, mode: Mode) -> Image.Image:
    """The opened image, after PNG's checksums, which decoding skips, have been checked."""
    image = _open(file, mode)
    if image.format == "PNG":
        image.verify()
        file.seek(0)
        image = _open(file, mode)
    return image


def _frames(image: Image.Image) -> int:
    # An MPO is a photo with its previews or depth maps behind it, as phones write them.
    return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)


def _orientation(image: Image.Image) -> int:
    # Pillow turns TIFF files itself while loading them; and of a PNG it would decode all the pixels
    # to look for EXIF behind them, where nobody writes it.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _samples(image: Image.Image, file: BinaryIO, mode: Mode, depth: Depth) -> tuple[Array, bool]:
    """The upright pixels as stored, and whether their last channel is alpha."""
    if (frames := _frames(image)) > 1:
        return _pages(image, frames), False
    deep = image.mode in ("RGB", "RGBA", "LA") and _is_deep(image)
    if "transparency" in image.info and (deep or image.mode.startswith("I")):
        raise ValueError("has 16 bits and one transparent value: save it with alpha instead")
    orientation = _orientation(image)
    # Of a 16-bit TIFF Pillow reads the high bytes, which is right within one level of 255.
    if deep and not (image.format == "TIFF" and depth == 8):
        array = _deep_colour(image, file)
        return pixels.upright(array, orientation), array.shape[2] in (2, 4)
    image.load()
    if _has_transparent_colours(image):
        image = image.convert("RGBA")
    if image.mode == "CMYK" and mode != "channels" and next(_cmyk_files) == 0:
        warnings.warn(
            "CMYK images are converted to RGB without their profile; colours are approximate "
            f"(the first one is {file.name})",
            stacklevel=2,
        )
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
    raw = _raw_mode(image)
    if image.format == "PPM":  # a channel's name and its largest value
        return any(int(number) > 255 for number in re.findall(r"\d+", raw))
    return ";16" in raw


def _has_transparent_colours(image: Image.Image) -> bool:
    """Whether one of its values, or its palette, says what is transparent."""
    return "transparency" in image.info or (image.mode == "P" and image.has_transparency_data)


def _raw_mode(image: Image.Image) -> str:
    """How the file keeps its pixels, such as "RGB;16B"; to be asked before they are loaded."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return " ".join(str(tile.args) for tile in tiles[:1])


def _deep_colour(image: Image.Image, file: BinaryIO) -> Array:
    """Colour of 16 bits, which Pillow cuts to 8."""
    if image.format != "PNG":
        raise ValueError(f"has 16-bit colour, which is read from PNG and .npy, not {image.format}")
    import torch
    from torchvision.io import decode_png

    file.seek(0)
    decoded = decode_png(torch.frombuffer(bytearray(file.read()), dtype=torch.uint8))
    array: Array = decoded.permute(1, 2, 0).numpy()
    return array


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


def _array(path: Path) -> Array:
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.size == 0:
        raise ValueError(f"its shape is {array.shape}, not (height, width, channels)")
    if array.dtype.kind not in "buif":
        raise ValueError(f"its values are {array.dtype}, not numbers of one channel")
    return array


def _label_array(array: Array) -> Array:
    if array.shape[2] != 1 or array.dtype.kind == "f":
        raise ValueError(
            f"is {array.dtype} with {array.shape[2]} channels, not a label map: indices come as "
            "whole numbers in one channel"
        )
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"holds labels from {array.min()} to {array.max()}, beyond 0 to 255")
    return array.astype(np.uint8)
