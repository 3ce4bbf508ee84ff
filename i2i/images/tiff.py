"""Read TIFF with tifffile: 16-bit colour, and channels in addition to RGB and alpha.

tifffile returns stored values unchanged and fills in missing data. Therefore this module
compares the tags with the file before it decodes anything.
"""

import logging
import lzma
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from i2i.images import cmyk, pixels
from i2i.images.content import Content, Dpi, Header, Mode, density, orientation_of
from i2i.images.guards import check_parts, check_size, not_a_picture, pixels_in, several_frames
from i2i.images.tiff_pages import pictures
from i2i.images.types import Array

if TYPE_CHECKING:
    from tifffile import TiffPage

_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 274, 282, 283, 296
_BITS, _EXTRA_SAMPLES, _ICC_PROFILE = 258, 338, 34675
_INCH, _CENTIMETRE = 2, 3
"""Values of the tag ResolutionUnit."""

_WHITE_IS_ZERO, _RGB, _CMYK = 0, 2, 5
_COLOURS = {_WHITE_IS_ZERO: 1, 1: 1, _RGB: 3, _CMYK: 4}
"""The number of grey or colour channels, by photometric interpretation."""

_PREMULTIPLIED, _ALPHA = 1, 2
"""Values of the tag ExtraSamples: the first channel after the colours is alpha."""

_INFLATING: dict[int, Callable[[], Any]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
"""Decompressors by compression, for compressions that allow bombs: deflate and LZMA."""

_DAMAGE = (ArithmeticError, LookupError, TypeError, struct.error, zlib.error, lzma.LZMAError)
"""Exceptions caused by tags of the wrong type and by broken streams."""

# Silence tifffile's log messages about damaged tags: this module raises errors for damage.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class Undecodable(ValueError):
    """A TIFF with a compression that tifffile can't decode here; Pillow may be able to."""


def is_tiff(file: BinaryIO) -> bool:
    """Whether a file begins with a TIFF signature."""
    file.seek(0)
    return file.read(4) in _SIGNATURES


def header(file: BinaryIO) -> Header:
    """Read size and channels, without decoding pixels."""
    with _page(file) as page:
        height, width = page.imagelength, page.imagewidth
        if pixels.swaps_sides(_orientation(page)):
            height, width = width, height
        deep = page.dtype is not None and page.dtype.itemsize > 1
        return Header((height, width), page.samplesperpixel, deep=deep)


def decode(file: BinaryIO, mode: Mode, as_stored: bool = False) -> Content:
    """Decode a one-page TIFF at its own depth.

    Premultiplied integer colours are divided by their alpha, as in Pillow at 8 bits.

    Args:
        file: The file.
        mode: How it is read; not as label indices.
        as_stored: Whether to keep the stored values, instead of scaling them to their type.

    Raises:
        Undecodable: If its compression needs the package imagecodecs.
        Exception: Decoders raise nearly any exception for damaged files.
    """
    with _page(file) as page:
        if mode == "labels":
            raise ValueError(
                f"is {page.dtype} with {page.samplesperpixel} channels, not a label map: indices "
                "must be palette or 8-bit grey"
            )
        _check_segments(file, page)
        samples, alpha = _values(page, as_stored), False
        if mode != "channels":
            samples, alpha = _shown(samples, page, getattr(file, "name", "an image in memory"))
        orientation = _orientation(page)
        profile = page.tags.valueof(_ICC_PROFILE)
        return Content(
            pixels.upright(samples, orientation),
            alpha,
            profile if isinstance(profile, bytes) and profile else None,
            _dpi(page, orientation),
        )


@contextmanager
def _page(file: BinaryIO) -> Iterator["TiffPage"]:
    """Open the only page, after checking that its size is safe to decode."""
    from tifffile import TiffFile, TiffPage

    places = pictures(file, 2)
    if len(places) > 1:
        raise several_frames()
    file.seek(0)
    try:
        with TiffFile(file) as tiff:
            page = tiff.pages[places[0].place]
            assert isinstance(page, TiffPage)
            _check_page(page)
            yield page
    except _DAMAGE as error:
        raise ValueError(f"is damaged: {error}") from error


def _check_page(page: "TiffPage") -> None:
    if min(page.imagelength, page.imagewidth, page.samplesperpixel) < 1 or page.imagedepth != 1:
        raise ValueError("has no pixels, or is a volume")
    check_size(pixels_in(page.imagelength, page.imagewidth, page.samplesperpixel))
    # Channels may differ in bits. If the tag is damaged, tifffile assumes one bit.
    plain = _BITS in page.tags and isinstance(page.bitspersample, int)
    if not plain or page.dtype is None or page.dtype.kind not in "buif":
        raise ValueError(
            f"its values are {page.dtype} of {page.bitspersample} bits; all channels must have one "
            "numeric type"
        )


def _check_segments(file: BinaryIO, page: "TiffPage") -> None:
    """Check that all strips or tiles are decodable, complete and no larger than declared."""
    _check_compression(page)
    check_size(math.prod(page.chunks[:2]))
    listed = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if len(listed) != math.prod(page.chunked):
        raise ValueError(
            f"is damaged: needs {math.prod(page.chunked)} strips or tiles, but lists {len(listed)}"
        )
    end = file.seek(0, os.SEEK_END)
    if any(offset < 1 or length < 1 or offset + length > end for offset, length in listed):
        raise ValueError("is truncated: some of its strips or tiles are missing")
    check_parts(page.databytecounts, file)
    inflating = _INFLATING.get(page.compression)
    if inflating is not None and page.dtype is not None:
        most = math.prod(page.chunks) * page.dtype.itemsize
        for offset, length in listed:
            file.seek(offset)
            if len(inflating().decompress(file.read(length), most + 1)) > most:
                raise ValueError("inflates to more than its declared size: a decompression bomb?")


def _check_compression(page: "TiffPage") -> None:
    from tifffile import TIFF

    try:
        TIFF.DECOMPRESSORS[page.compression]
        TIFF.UNPREDICTORS[page.predictor]
    except KeyError as error:
        raise _undecodable(page) from error


def _undecodable(page: "TiffPage") -> Undecodable:
    return Undecodable(
        f"is compressed with {_name(page.compression)} (predictor {_name(page.predictor)}), which "
        f"can't be decoded for {page.samplesperpixel} channels of {page.bitspersample} bits: save "
        "it uncompressed or with deflate, or pip install imagecodecs"
    )


def _values(page: "TiffPage", as_stored: bool) -> Array:
    """All channels `(H, W, C)`, not premultiplied.

    Unless `as_stored`, integers of few bits are scaled to their type, greys from black to white.
    """
    try:
        array = page.asarray(squeeze=False, maxworkers=1)
    except NotImplementedError as error:
        raise _undecodable(page) from error
    # The array is (separate channels, depth, H, W, interleaved channels).
    array = array[:, 0].transpose(1, 2, 0, 3).reshape(page.imagelength, page.imagewidth, -1)
    array = array.astype(np.uint8 if array.dtype == np.bool_ else array.dtype.newbyteorder("="))
    if array.dtype not in (np.uint8, np.uint16):
        return array
    top, most = np.iinfo(array.dtype).max, 2**page.bitspersample - 1
    if as_stored:
        top = most
    elif most < top:
        array = pixels.stretched(array, most)
    if page.photometric == _WHITE_IS_ZERO and not as_stored:
        array[..., 0] = top - array[..., 0]
    colours = _COLOURS.get(page.photometric, 0)
    return _divided(array, colours, top) if colours and _extra(page) == _PREMULTIPLIED else array


@pixels.by_bands
def _divided(array: Array, colours: int, top: int) -> Array:
    """Premultiplied colours, divided by their alpha."""
    alpha = array[..., colours, None].astype(np.float64)
    plain = array[..., :colours] * (top / np.maximum(alpha, 1))
    divided = array.copy()
    divided[..., :colours] = np.rint(plain).clip(0, top) * (alpha > 0)
    return divided


def _shown(array: Array, page: "TiffPage", name: str) -> tuple[Array, bool]:
    """Convert the channels to grey or RGB, with alpha if present; return also whether it is."""
    colours = _COLOURS.get(page.photometric)
    if colours is None or colours > array.shape[2]:
        raise ValueError(f"has colours in {_name(page.photometric)}; save it as RGB")
    whole = array.dtype in (np.uint8, np.uint16)
    alpha = _extra(page) in (_PREMULTIPLIED, _ALPHA)
    if alpha and not whole:
        raise ValueError(f"has alpha in {array.dtype}; save it with 16 bits, or without alpha")
    if colours == 1:
        if array.shape[2] > 1 + alpha:  # After RGB, extra channels are padding; after grey, not.
            raise not_a_picture(array.shape[2])
        return array, alpha
    shown = array[..., :colours]
    if page.photometric == _CMYK:
        if not whole:
            raise ValueError(f"is CMYK in {array.dtype}; save it as RGB")
        cmyk.warn_once(name)
        shown = cmyk.as_rgb(shown)
    if alpha:
        shown = np.concatenate([shown, array[..., colours, None]], axis=2)
    return shown, alpha


def _extra(page: "TiffPage") -> int:
    """The kind of the first channel after the colours; 0 if there is none or it is unknown."""
    extra = page.tags.valueof(_EXTRA_SAMPLES)
    if page.samplesperpixel <= _COLOURS.get(page.photometric, 0):
        return 0
    if extra is None:  # As in Pillow, RGB with a fourth channel is RGBA.
        return _ALPHA if (page.photometric, page.samplesperpixel) == (_RGB, 4) else 0
    return int(np.ravel(extra)[0])


def _orientation(page: "TiffPage") -> int:
    return orientation_of(page.tags.valueof(_ORIENTATION))


def _dpi(page: "TiffPage", orientation: int) -> Dpi | None:
    across, down, unit = (
        page.tags.valueof(tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT)
    )
    scale = 2.54 if unit == _CENTIMETRE else 1.0 if unit in (None, _INCH) else None
    if scale is None or across is None or down is None:
        return None
    return density((value[0] / value[1] * scale for value in (across, down)), orientation)


def _name(value: int) -> str:
    return str(getattr(value, "name", value))
