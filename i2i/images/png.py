"""PNG encoding and decoding with 16-bit colour.

Pillow can't write 16-bit colour, and keeps only the high bytes when it reads it.
"""

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
"""Colour type by channels: grey, grey + alpha, RGB, RGBA (PNG specification, 11.2.1)."""

_UP = 2
"""The filter that stores each byte's difference from the byte above it (9.2)."""

_COMPRESSION = 3
"""zlib level: for photos, a third of the default level's time and 7% more bytes."""

_INCH = 0.0254
"""In metres; PNG stores dots per metre."""


def png_bytes(array: Array, *, profile: bytes | None = None, dpi: Dpi | None = None) -> bytes:
    """Encode a uint8 or uint16 image as PNG, without loss.

    Args:
        array: `(H, W, C)`. 1 channel is grey, 3 are RGB; 2 and 4 are the same with alpha.
        profile: An ICC profile. It is dropped above 1 MiB, because readers refuse such profiles
            as decompression bombs.
        dpi: Horizontal and vertical dots per inch, each 1 to 65535.
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
    """Decode a PNG from a trusted program to `(H, W, 3)` uint8."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def decode_deep(file: BinaryIO) -> Array:
    """Decode 16-bit colour, or 16-bit grey with alpha, with all bits.

    Pillow inflates and unfilters all bytes, but then unpacks only one byte of each two: the first
    for big-endian data such as PNG, the second for little-endian data. For colour, this
    function decodes the file once with each byte order and combines the results.

    Args:
        file: A PNG whose raw mode is "LA;16B", "RGB;16B" or "RGBA;16B".

    Returns:
        `(H, W, C)` uint16; the EXIF orientation is not applied.
    """
    with Image.open(file, formats=["PNG"]) as image:
        assert isinstance(image, ImageFile.ImageFile)
        raw_mode = str(image.tile[0].args)
    if raw_mode == "LA;16B":  # as many bytes per pixel as 8-bit RGBA
        grey_alpha: Array = _unpacked(file, "RGBA").view(">u2").astype(np.uint16)
        return grey_alpha
    high, low = (_unpacked(file, raw_mode[:-1] + order) for order in "BL")
    return np.left_shift(high, 8, dtype=np.uint16) | low


def _unpacked(file: BinaryIO, raw_mode: str) -> Array:
    """The pixels of a PNG as Pillow unpacks them for a raw mode: `(H, W, C)` uint8."""
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
