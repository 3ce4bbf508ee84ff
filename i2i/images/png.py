"""PNG, with the colours of 16 bits that Pillow doesn't write, and reads by their high bytes."""

import io
import struct
import zlib
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin

from i2i.images.content import Dpi
from i2i.images.types import Array

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By channels: grey, grey with alpha, colour, colour with alpha (PNG specification, 11.2.1)."""

_UP = 2
"""The filter that keeps each byte's difference from the one above it (9.2)."""

_COMPRESSION = 3
"""zlib's level: a photo takes a third of the usual level's time, and 7% more bytes."""

_INCH = 0.0254
"""In metres, which PNG counts its dots by."""


def png_bytes(array: Array, *, profile: bytes | None = None, dpi: Dpi | None = None) -> bytes:
    """Encode uint8 or uint16 as PNG, without loss.

    Args:
        array: `(H, W, C)`: 1 channel is grey, 3 are colour, 2 and 4 the same with alpha.
        profile: An ICC profile. One above 1 MiB, which readers take for a bomb, is left out.
        dpi: Dots per inch across and down, each 1 to 65535.
    """
    if profile is not None and len(profile) > PngImagePlugin.MAX_TEXT_CHUNK:
        profile = None
    if array.dtype == np.uint16 and array.shape[2] > 1:
        return _deep(array, profile, dpi)
    buffer = io.BytesIO()
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    image.save(buffer, "PNG", icc_profile=profile, dpi=dpi, compress_level=_COMPRESSION)
    return buffer.getvalue()


def from_png(data: bytes) -> Array:
    """Decode a PNG that a program of ours made: `(H, W, 3)` uint8."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def decode_deep(file: BinaryIO) -> Array:
    """Decode colour, or grey with alpha, of 16 bits, of which Pillow keeps the high bytes.

    Pillow inflates and unfilters all bytes, and then unpacks one of each two: the first of a
    big-endian file such as PNG, and the second where it is told that the file is little-endian.

    Args:
        file: A PNG whose raw mode is "LA;16B", "RGB;16B" or "RGBA;16B".

    Returns:
        `(H, W, C)` uint16, not turned upright.
    """
    with Image.open(file, formats=["PNG"]) as image:
        assert isinstance(image, ImageFile.ImageFile)
        raw_mode = str(image.tile[0].args)
    if raw_mode == "LA;16B":  # as many bytes a pixel as RGBA of 8 bits
        grey_alpha: Array = _unpacked(file, "RGBA").view(">u2").astype(np.uint16)
        return grey_alpha
    high, low = (_unpacked(file, raw_mode[:-1] + order) for order in "BL")
    return np.left_shift(high, 8, dtype=np.uint16) | low


def _unpacked(file: BinaryIO, raw_mode: str) -> Array:
    """A PNG's pixels, unpacked as Pillow does for a raw mode: `(H, W, C)` uint8."""
    file.seek(0)
    with Image.open(file, formats=["PNG"]) as image:
        assert isinstance(image, ImageFile.ImageFile)
        image.tile = [image.tile[0]._replace(args=raw_mode)]
        return np.array(image)


def _deep(array: Array, profile: bytes | None, dpi: Dpi | None) -> bytes:
    height, width, channels = array.shape
    rows = np.ascontiguousarray(array, ">u2").view(np.uint8).reshape(height, -1)
    lines = np.full((height, 1 + rows.shape[1]), _UP, np.uint8)
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    head = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    parts = [_SIGNATURE, _chunk(b"IHDR", head)]
    if profile is not None:
        parts.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)))
    if dpi is not None:
        per_metre = (round(value / _INCH) for value in dpi)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    parts += [_chunk(b"IDAT", zlib.compress(lines.data, _COMPRESSION)), _chunk(b"IEND", b"")]
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
