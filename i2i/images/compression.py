"""Whether a file's pixels are compressed with loss; judged by its content, not by its name."""

import os
import struct
from pathlib import Path
from typing import BinaryIO

from i2i.images.tiff import is_tiff

_JPEG = b"\xff\xd8\xff"

_VIDEO_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix")
"""Image formats made of video frames: AVIF and HEIC."""

_JPEG_2000 = b"\0\0\0\x0cjP  "
_CODESTREAM = b"\xff\x4f\xff\x51"
_CODING_STYLE = b"\xff\x52"
"""Markers of JPEG 2000: the start of the pixels, and the segment that names the wavelet (ITU-T
T.800, A.4 and A.6.1)."""

_IRREVERSIBLE = b"\0"

_LOSSY_IN_TIFF = frozenset(
    {6, 7, 22610, 33003, 33004, 33005, 33007, 34712, 34892, 34927, 34934, 50001, 50002, 52546}
)
"""Values of the tag Compression for JPEG, JPEG 2000, JPEG XR, JPEG XL and WebP."""


def is_lossy(path: Path) -> bool:
    """Whether an image file stores its pixels with loss.

    True for JPEG, AVIF and HEIC, for WebP and JPEG 2000 in their lossy variants, and for TIFF with
    JPEG, one of its successors or WebP inside. JPEG 2000 with the reversible wavelet counts as
    lossless, although its data may have been cut to a given size. False for files that are not
    images.

    Raises:
        OSError: If the file can't be read.
    """
    with path.open("rb") as file:
        start = file.read(16)
        if start.startswith(_JPEG):
            return True
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return b"VP8 " in _webp_chunks(file)
        if start[4:8] == b"ftyp":
            return start[8:12] in _VIDEO_BRANDS
        if start.startswith((_JPEG_2000, _CODESTREAM)):
            return _has_irreversible_wavelet(file)
        return is_tiff(file) and _tiff_compression(file) in _LOSSY_IN_TIFF


def _webp_chunks(file: BinaryIO) -> set[bytes]:
    """The names of a WebP file's chunks."""
    found, place, end = set(), 12, file.seek(0, os.SEEK_END)
    while place + 8 <= end:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8))
        found.add(name)
        place += 8 + length + length % 2
    return found


def _has_irreversible_wavelet(file: BinaryIO) -> bool:
    file.seek(0)
    segments = file.read().partition(_CODESTREAM)[2].partition(_CODING_STYLE)[2]
    return segments[11:12] == _IRREVERSIBLE


def _tiff_compression(file: BinaryIO) -> int:
    """The compression of a TIFF's first page; 0 if the file is damaged."""
    from tifffile import TiffFile

    file.seek(0)
    try:
        with TiffFile(file) as tiff:
            return int(tiff.pages.first.compression)
    except Exception:  # tifffile raises nearly any exception for damaged files
        return 0
