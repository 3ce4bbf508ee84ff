"""PNG as its specification has it, in plain Python, to check what i2i reads and writes."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6
"""Colour types (11.2.1)."""

CHANNELS = {GREY: 1, RGB: 3, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
ADAM7 += ((0, 1, 1, 2),)
"""Column, row and their steps of each interlaced pass (8.2)."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encode(
    array: Array,
    colour: int,
    extra: bytes = b"",
    *,
    filters: Sequence[int] = (0,),
    interlaced: bool = False,
) -> bytes:
    """A PNG of any colour type at 8 or 16 bits; rows take the filters in turn."""
    height, width = array.shape[:2]
    bits = array.dtype.itemsize * 8
    samples = array.reshape(height, width, -1).astype(array.dtype.newbyteorder(">"))
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    step = CHANNELS[colour] * bits // 8
    lines = []
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        rows = [row.tobytes() for row in part] if part.size else []
        for i, row in enumerate(rows):
            kind = filters[i % len(filters)]
            above = rows[i - 1] if i else bytes(len(row))
            lines.append(bytes([kind]) + _filtered(kind, row, above, step))
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return (
        SIGNATURE
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(b"".join(lines)))
        + chunk(b"IEND", b"")
    )


def decode(data: bytes) -> Array:
    """The samples `(H, W, C)` of a PNG that isn't interlaced; checksums are checked."""
    assert data.startswith(SIGNATURE)
    chunks = list(_chunks(data))
    assert [chunks[0][0], chunks[-1][0]] == [b"IHDR", b"IEND"]
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    assert not interlaced
    packed = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    step = CHANNELS[colour] * bits // 8
    length = 1 + width * step
    assert len(packed) == height * length
    rows = [bytes(width * step)]
    for line in (packed[i : i + length] for i in range(0, len(packed), length)):
        rows.append(_unfiltered(line[0], line[1:], rows[-1], step))
    samples = np.frombuffer(b"".join(rows[1:]), ">u2" if bits == 16 else np.uint8)
    return samples.reshape(height, width, -1).astype(np.uint16 if bits == 16 else np.uint8)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        whole = data[at : at + 12 + length]
        kind, content = whole[4:8], whole[8:-4]
        assert whole == chunk(kind, content)
        yield kind, content
        at += len(whole)


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    """What a filter subtracts from a byte (9.2)."""
    distances = [abs(left + above - corner - value) for value in (left, above, corner)]
    paeth = (left, above, corner)[distances.index(min(distances))]
    return (0, left, above, (left + above) // 2, paeth)[kind]


def _filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    left, corner = bytes(step) + row, bytes(step) + above
    return bytes(
        (value - _predicted(kind, left[i], above[i], corner[i])) % 256
        for i, value in enumerate(row)
    )


def _unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    row, corner = bytearray(step), bytes(step) + above
    for i, value in enumerate(line):
        row.append((value + _predicted(kind, row[i], above[i], corner[i])) % 256)
    return bytes(row[step:])
