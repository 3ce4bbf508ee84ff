"""Damaged or endless metadata never makes pixels unreadable."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, features

from i2i.images import header, pixels_of, read, read_picture, write_picture
from tests.images.pngs import chunk

Array = NDArray[Any]

ORIENTATION, XMP, ICC, GPS, EXIF, IPTC, RESOLUTION = 274, 700, 34675, 34853, 34665, 33723, 282

BROKEN_EXIF = {
    "no head": b"Exif\0\0",
    "another head": b"Exif\0\0PNG!" + bytes(20),
    "offset beyond": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "cut in its list": b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01\x03\0",
    "type unknown": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x63\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
    "text": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0six\0\0\0\0\0",
    "zero over zero": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\x1a\0\0\0"
    + bytes(12),
    "nine": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0\0\0\0\0",
    "minus one": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x08\0\x01\0\0\0\xff\xff\0\0\0\0\0\0",
    "gps beyond": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x25\x88\x04\0\x01\0\0\0\xff\xff\xff\x0f\0\0\0\0",
}


def noise(*shape: int) -> Array:
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def saved(form: str, samples: Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(samples).save(buffer, form, **options)
    return buffer.getvalue()


def png(*chunks: bytes, samples: Array | None = None) -> bytes:
    """A PNG with more chunks before its pixels and before its end."""
    whole = saved("PNG", noise(6, 8, 3) if samples is None else samples)
    extra = b"".join(chunks)
    return whole[:33] + extra + whole[33:-12] + extra + whole[-12:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more segments after its first one."""
    extra = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments
    )
    whole = saved("JPEG", noise(6, 8, 3))
    return whole[:20] + extra + whole[20:]


def assert_reads(tmp_path: Path, content: bytes, plain: bytes, suffix: str) -> None:
    """The same pixels come out with and without the metadata, in all readers."""
    path, without = tmp_path / f"tagged{suffix}", tmp_path / f"plain{suffix}"
    path.write_bytes(content)
    without.write_bytes(plain)
    np.testing.assert_array_equal(read(path), read(without))
    assert header(path) == header(without)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, read_picture(without).pixels)
    written = tmp_path / "again.png"
    write_picture(written, picture.pixels, profile=picture.profile, dpi=picture.dpi)
    np.testing.assert_array_equal(read(written), read(without))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_broken_exif_is_passed_over(tmp_path: Path, form: str, exif: bytes) -> None:
    if form == "AVIF":
        if not features.check("avif"):
            pytest.skip("this Pillow has no AVIF")
        tagged = Image.Exif()
        tagged[305] = "x" * len(exif)
        content = saved(form, noise(6, 8, 3), exif=tagged)
        inside = content.rindex(b"x" * len(exif)) - 26  # after the head and one tag
        content = content[:inside] + exif[6:] + content[inside + len(exif) - 6 :]
        plain = saved(form, noise(6, 8, 3))
    elif form == "PNG":
        content, plain = png(chunk(b"eXIf", exif[6:])), png()
    else:
        content, plain = saved(form, noise(6, 8, 3), exif=exif), saved(form, noise(6, 8, 3))
    assert_reads(tmp_path, content, plain, f".{form.lower()}")


CHUNKS = {
    "checksum": [b"\0\0\0\x03tEXta\0b\0\0\0\0"],
    "text without end": [chunk(b"tEXt", b"x" * 100_000)] * 3,
    "packed text": [chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3 * 2**20)))],
    "packed text of another method": [chunk(b"zTXt", b"a\0\7" + b"junk")],
    "much text": [chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))] * 70,
    "packed unicode": [chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(3 * 2**20)))],
    "text as xmp": [chunk(b"tEXt", b"xmp\0not bytes")],
    "profile of another method": [chunk(b"iCCP", b"icc\0\7" + b"junk")],
    "profile": [chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(3 * 2**20)))],
    "profile without name": [chunk(b"iCCP", b"")],
    "intent": [chunk(b"sRGB", b"")],
    "gamma": [chunk(b"gAMA", b"\0")],
    "primaries": [chunk(b"cHRM", b"12345")],
    "dots per inch": [chunk(b"pHYs", b"\0\0")],
    "no dots per inch": [chunk(b"pHYs", bytes(8) + b"\1")],
    "nobody's": [chunk(b"abCd", b"?")],
    "exif in text": [chunk(b"tEXt", b"Raw profile type exif\0no hex")],
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_chunks_of_a_png_that_pixels_dont_need_are_passed_over(
    tmp_path: Path, chunks: list[bytes]
) -> None:
    assert_reads(tmp_path, png(*chunks), png(), ".png")


def test_good_chunks_beside_broken_ones_still_count(tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    good = chunk(b"eXIf", exif.tobytes()[6:])
    path.write_bytes(png(chunk(b"zTXt", b"a\0\7"), good, chunk(b"pHYs", b"")))
    np.testing.assert_array_equal(read(path), np.rot90(noise(6, 8, 3), -1))


SEGMENTS = {
    "short head": [(0xE0, b"JFIF\0\1")],
    "short transform": [(0xEE, b"Adobe")],
    "short profile": [(0xE2, b"ICC_PROFILE\0\1")],
    "profile in a missing part": [(0xE2, b"ICC_PROFILE\0\2\7" + bytes(50))],
    "press data": [(0xED, b"Photoshop 3.0\x008BIM\4\4")],
    "press data without end": [(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\xff\xff\xff\xff")],
    "pictures of a phone": [(0xE2, b"MPF\0II*\0\xff\xff\xff\x7f")],
    "other pictures of a phone": [(0xE2, b"MPF\0MM")],
    "xmp": [(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='\xff\xfe'>")],
    "comments": [(0xFE, b"x" * 65_000)] * 20,
    "exif in two parts": [(0xE1, b"Exif\0\0II*\0\x08\0"), (0xE1, b"Exif\0\0\0\0")],
    "dpi": [
        (0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x1a\x01\x02\0\x04\0\0\0dpi\0\0\0\0\0"),
    ],
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
def test_segments_of_a_jpeg_that_pixels_dont_need_are_passed_over(
    tmp_path: Path, segments: list[tuple[int, bytes]]
) -> None:
    assert_reads(tmp_path, jpeg(*segments), jpeg(), ".jpg")


def test_a_good_profile_of_several_parts_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    profile = bytes(36) + b"acsp" + bytes(90_000)
    Image.fromarray(noise(6, 8, 3)).save(path, icc_profile=profile)
    assert read_picture(path).profile == profile


TAGS: dict[str, tuple[Any, ...]] = {
    "orientation in text": (ORIENTATION, "s", 0, "six", True),
    "orientation of nine": (ORIENTATION, "H", 1, 9, True),
    "orientation over zero": (ORIENTATION, "2I", 1, (6, 0), True),
    "xmp in numbers": (XMP, "I", 2, (1, 2), True),
    "xmp in text": (XMP, "s", 0, "<x:xmpmeta", True),
    "profile in a number": (ICC, "I", 1, 3_000_000_000, True),
    "profile in text": (ICC, "s", 0, "profile", True),
    "gps beyond": (GPS, "I", 1, 2**31, True),
    "gps in text": (GPS, "s", 0, "here", True),
    "exif in its own pixels": (EXIF, "I", 1, 300, True),
    "iptc in numbers": (IPTC, "I", 2, (1, 2), True),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
@pytest.mark.parametrize(
    ("channels", "dtype"), [(3, np.uint8), (1, np.uint8), (3, np.uint16), (5, np.uint8)]
)
def test_tags_of_a_tiff_that_pixels_dont_need_are_passed_over(
    tmp_path: Path, tag: tuple[Any, ...], channels: int, dtype: Any
) -> None:
    path = tmp_path / "tagged.tif"
    samples = noise(6, 8, channels).astype(dtype)
    photometric: Any = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(
        path,
        samples[..., 0] if channels == 1 else samples,
        photometric=photometric,
        planarconfig=None if channels == 1 else "contig",
        extratags=[(tag[0] + 1, *tag[1:])],  # tifffile leaves out some tags that others write
    )
    content = path.read_bytes()
    entry = next(
        e for kind in range(1, 19) if (e := struct.pack("<HH", tag[0] + 1, kind)) in content
    )
    path.write_bytes(content.replace(entry, struct.pack("<H", tag[0]) + entry[2:]))
    picture = read_picture(path, "channels")
    np.testing.assert_array_equal(picture.pixels, samples)
    assert picture.profile is None or isinstance(picture.profile, bytes)
    assert header(path).size == (6, 8)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("resolution", [b"\x07\0\x02\0\0\0", b"\x02\0\x03\0\0\0"])
def test_a_resolution_of_another_type_is_dropped(
    tmp_path: Path, dtype: Any, resolution: bytes
) -> None:
    path = tmp_path / "picture.tif"
    samples = noise(6, 8, 3).astype(dtype)
    tifffile.imwrite(path, samples, photometric="rgb", resolution=(300, 300))
    entry = struct.pack("<HHI", RESOLUTION, 5, 1)
    content = path.read_bytes()
    assert entry in content
    path.write_bytes(content.replace(entry, struct.pack("<H", RESOLUTION) + resolution))
    np.testing.assert_array_equal(read_picture(path).pixels, samples)
    assert read_picture(path).dpi is None


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pages_with_broken_tags_are_channels_as_well(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = noise(3, 6, 8)
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack", extratags=[TAGS["xmp in text"]])
    np.testing.assert_array_equal(read(path, "channels"), pages.transpose(1, 2, 0))


@pytest.mark.parametrize("channel", [b"ICCP", b"EXIF", b"XMP "])
def test_damage_in_a_webps_metadata_is_passed_over(tmp_path: Path, channel: bytes) -> None:
    tags: dict[str, Any] = {"icc_profile": b"a" * 64, "exif": b"b" * 64, "xmp": b"c" * 64}
    whole = saved("WEBP", noise(6, 8, 3), lossless=True, **tags)
    place = whole.index(channel) + 8
    damaged = whole[:place] + b"\xff" * 64 + whole[place + 64 :]
    assert_reads(tmp_path, damaged, saved("WEBP", noise(6, 8, 3), lossless=True), ".webp")


def test_a_comment_in_a_gif_and_dots_in_a_bmp_may_be_anything(tmp_path: Path) -> None:
    grey = noise(6, 8)
    (tmp_path / "a.gif").write_bytes(saved("GIF", grey, comment=b"\xff" * 5000))
    bmp = bytearray(saved("BMP", grey))
    bmp[38:46] = b"\xff" * 8
    (tmp_path / "a.bmp").write_bytes(bmp)
    for name in ("a.gif", "a.bmp"):
        np.testing.assert_array_equal(read(tmp_path / name, "gray")[..., 0], grey)


def test_an_opened_image_is_read_as_its_file_is(tmp_path: Path) -> None:
    path = tmp_path / "turned.webp"
    Image.fromarray(noise(6, 8, 3)).save(path, lossless=True, exif=BROKEN_EXIF["cut in its list"])
    np.testing.assert_array_equal(pixels_of(Image.open(path)), noise(6, 8, 3))
