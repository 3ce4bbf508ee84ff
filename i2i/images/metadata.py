"""Leave out the metadata that pixels don't need, before Pillow parses it.

Pillow parses all metadata of PNG, JPEG and AVIF while it opens a file, and refuses the file if any
of it is damaged or too long.
"""

import io
import re
import struct
import zlib
from typing import BinaryIO

from PIL import PngImagePlugin

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT"})
"""Chunks of PNG that pixels depend on, in addition to critical ones, and those of animations."""

_JPEG = b"\xff\xd8\xff"
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_START_OF_SCAN, _FILL = 0xDA, 0xFF
_METADATA = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Markers of JPEG: APP0 to APP15, and comments."""

_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})
"""Markers of JPEG without a segment."""

_AVIF = (b"ftypavif", b"ftypavis")
_AVIF_EXIF = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))Exif", re.DOTALL)
"""The entry of the EXIF in AVIF's list of items. AVIF has its orientation elsewhere."""


class _Copy(io.BytesIO):
    """A copy of a file in memory, under the file's name."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.name = getattr(file, "name", "an image in memory")


def without_metadata(file: BinaryIO, *, head: bool = False) -> BinaryIO:
    """A copy of a PNG, JPEG or AVIF without unused or damaged metadata; other files as they are.

    Only the EXIF, XMP, ICC profile and resolution are kept, and of PNG only undamaged ones.

    Args:
        file: The file; its position doesn't matter.
        head: Whether to copy only what comes before the pixels of a PNG or JPEG.
    """
    file.seek(0)
    start = file.read(12)
    file.seek(0)
    if start.startswith(_PNG):
        copy = _png(file, head)
    elif start.startswith(_JPEG):
        copy = _jpeg(file, head)
    elif start[4:] in _AVIF:
        copy = _Copy(file)
        copy.write(_AVIF_EXIF.sub(rb"\1free", file.read()))
    else:
        return file
    copy.seek(0)
    return copy


def _png(file: BinaryIO, head: bool) -> _Copy:
    copy = _Copy(file)
    copy.write(file.read(len(_PNG)))
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if head and kind == b"IDAT":
            break
        critical = not kind[0] & 0x20  # 5.4: upper case
        if critical or kind in _PIXELS or not kind.isalpha():
            copy.write(start + file.read(length + 4))
        elif kind in (b"eXIf", b"iCCP", b"pHYs"):
            data, checksum = file.read(length), file.read(4)
            if checksum == struct.pack(">I", zlib.crc32(kind + data)) and _is_valid(kind, data):
                copy.write(start + data + checksum)
        else:
            file.seek(length + 4, io.SEEK_CUR)
        if kind == b"IEND":
            return copy
    copy.write(start)
    return copy


def _is_valid(kind: bytes, data: bytes) -> bool:
    """Whether a chunk's content can be read; a profile, if it inflates to what Pillow allows."""
    if kind != b"iCCP":
        return kind == b"eXIf" or len(data) == 9
    packed = data.partition(b"\0")[2]
    inflating = zlib.decompressobj()
    try:
        inflating.decompress(packed[1:], PngImagePlugin.MAX_TEXT_CHUNK)
    except zlib.error:
        return False
    return packed[:1] == b"\0" and inflating.eof


def _jpeg(file: BinaryIO, head: bool) -> _Copy:
    copy = _Copy(file)
    copy.write(file.read(2))
    while len(start := file.read(2)) == 2 and start[0] == 0xFF and start[1] != 0:
        marker = start[1]
        if marker == _FILL:
            file.seek(-1, io.SEEK_CUR)
            continue
        size = b"" if marker in _ALONE else file.read(2)
        segment = file.read(max(0, int.from_bytes(size) - 2))
        if marker not in _METADATA or _is_used(marker, segment):
            copy.write(start + size + segment)
        if marker == _START_OF_SCAN:
            break
    else:
        copy.write(start)
        head = False
    if not head:
        copy.write(file.read())
    return copy


def _is_used(marker: int, segment: bytes) -> bool:
    """Whether an APP segment of a JPEG is used and long enough for its fixed fields."""
    match marker:
        case 0xE0:
            return segment.startswith(b"JFIF\0") and len(segment) >= 12
        case 0xE1:
            return segment.startswith((_EXIF, _XMP))
        case 0xE2:
            return segment.startswith(b"ICC_PROFILE\0") and len(segment) >= 14
        case 0xEE:  # Adobe's colour transform
            return segment.startswith(b"Adobe") and len(segment) >= 12
    return False
