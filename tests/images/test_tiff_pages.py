"""Pages of TIFF: previews and masks are no frames, and the second picture is enough."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from i2i.errors import DataError
from i2i.images import header, pixels_of, read
from i2i.images.tiff_pages import MOST

Array = NDArray[Any]

REDUCED, PAGE, MASK = 1, 2, 4


def noise(*shape: int, dtype: Any = np.uint8) -> Array:
    return np.random.default_rng(3).integers(0, 256, shape).astype(dtype)


def reason(path: Path, mode: Any = "rgb") -> str:
    with pytest.raises(DataError) as caught:
        read(path, mode)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (3, np.uint16)])
@pytest.mark.parametrize("preview_first", [False, True])
def test_overviews_and_masks_are_no_pages(
    tmp_path: Path, bigtiff: bool, compression: Any, channels: int, dtype: Any, preview_first: bool
) -> None:
    path = tmp_path / "cloud.tif"
    samples = noise(32, 48, channels, dtype=dtype).squeeze()
    photometric: Any = "rgb" if channels == 3 else "minisblack"
    kinds = [(0, samples), (REDUCED, samples[::2, ::2])]
    with tifffile.TiffWriter(path, bigtiff=bigtiff) as writer:
        for kind, page in reversed(kinds) if preview_first else kinds:
            writer.write(page, photometric=photometric, subfiletype=kind, compression=compression)
        for kind in (MASK, MASK | REDUCED):
            mask = np.zeros((32, 48), np.bool_)
            writer.write(mask, photometric="minisblack", subfiletype=kind)
    depth: Any = np.dtype(dtype).itemsize * 8
    for mode in ("channels", "rgb" if channels == 3 else "gray"):
        found = read(path, mode, depth=depth)
        np.testing.assert_array_equal(found, samples.reshape(32, 48, channels))
        assert header(path, mode).size == (32, 48)
        assert header(path, mode).channels == channels
    with Image.open(path) if (channels, dtype) != (3, np.uint16) else Image.new("L", (1, 1)) as one:
        if one.format == "TIFF" and not preview_first:
            np.testing.assert_array_equal(pixels_of(one, "channels"), read(path, "channels"))


def test_overviews_below_their_page_are_no_pages(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(noise(32, 48, 3), photometric="rgb", subifds=1)
        writer.write(noise(16, 24, 3), photometric="rgb", subfiletype=REDUCED)
    np.testing.assert_array_equal(read(path), noise(32, 48, 3))


def test_a_preview_whose_picture_is_below_it_is_not_taken_for_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "camera.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(noise(8, 8, 3), photometric="rgb", subfiletype=REDUCED, subifds=1)
        writer.write(noise(32, 48, 3), photometric="rgb")
    assert "preview" in reason(path)


def test_the_only_page_is_the_picture_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, noise(8, 8, 3), photometric="rgb", subfiletype=REDUCED)
    np.testing.assert_array_equal(read(path), noise(8, 8, 3))


def test_pages_of_a_document_are_frames_and_grey_ones_channels(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in noise(3, 8, 9):
            writer.write(page, photometric="minisblack", subfiletype=PAGE)
        writer.write(noise(4, 4), photometric="minisblack", subfiletype=REDUCED)
    assert "has 2 frames or pages" in reason(path)
    np.testing.assert_array_equal(read(path, "channels"), noise(3, 8, 9).transpose(1, 2, 0))
    assert header(path, "channels").channels == 3


def pages(count: int, last: int = 0, kind: int = 0) -> bytes:
    """A TIFF of 8 x 8 grey pages, whose last one points to `last`."""
    entries = [
        struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in [
            *[(254, kind), (256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8)],
            *[(277, 1), (278, 8), (279, 64)],
        ]
    ]
    size = 2 + 12 * len(entries) + 4
    start = 8 + 64
    return (
        b"II*\0"
        + struct.pack("<I", start)
        + bytes(64)
        + b"".join(
            struct.pack("<H", len(entries))
            + b"".join(entries)
            + struct.pack("<I", last if page == count - 1 else start + (page + 1) * size)
            for page in range(count)
        )
    )


def test_nothing_behind_the_second_page_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "many.tif"
    path.write_bytes(pages(2, last=2**31))  # where nothing is
    assert "has 2 frames or pages" in reason(path)
    with pytest.raises(DataError, match="has 2 frames or pages"):
        header(path)


def test_nothing_behind_the_second_frame_of_a_gif_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    frames = [Image.fromarray(noise(8, 8) // n) for n in (1, 2, 3, 4)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    path.write_bytes(path.read_bytes()[:-60] + b"\xff" * 60)
    assert "has 2 frames or pages" in reason(path)


@pytest.mark.parametrize("kind", [PAGE, REDUCED])
def test_too_many_pages_are_refused_as_channels_as_well(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "many.tif"
    path.write_bytes(pages(MOST + 1, kind=kind))
    assert f"more than {MOST:,} pages" in reason(path, "channels")


def test_pages_in_a_circle_end(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    path.write_bytes(pages(1, last=72))
    assert read(path, "gray").shape == (8, 8, 1)


def test_pages_that_overlap_in_their_tags_are_refused(tmp_path: Path) -> None:
    """A small file whose pages are all of 65,535 tags."""
    path = tmp_path / "overlap.tif"
    path.write_bytes(b"II*\0\x08\0\0\0" + b"\xff" * 900_000)
    assert reason(path, "channels")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_header_tells_a_geotiff(tmp_path: Path, dtype: Any) -> None:
    keys = (34735, "H", 4, (1, 1, 0, 0), True)
    for name, tags in (("plain.tif", []), ("placed.tif", [keys])):
        tifffile.imwrite(
            tmp_path / name, noise(8, 9, 3).astype(dtype), photometric="rgb", extratags=tags
        )
        assert header(tmp_path / name).georeferenced == bool(tags)
        assert header(tmp_path / name).deep == (dtype != np.uint8)


@pytest.mark.parametrize("channels", [1, 5])
def test_strips_that_are_all_the_same_large_part_of_the_file_are_refused(
    tmp_path: Path, channels: int
) -> None:
    path = tmp_path / "overlap.tif"
    samples = noise(1000, 8, channels).squeeze()
    tifffile.imwrite(
        path,
        samples,
        photometric="minisblack",
        compression="zlib",
        rowsperstrip=1,
        planarconfig="contig" if channels > 1 else None,
    )
    with tifffile.TiffFile(path, mode="r+") as file:
        tags, size = file.pages.first.tags, path.stat().st_size
        tags["StripOffsets"].overwrite([8] * 1000)
        tags["StripByteCounts"].overwrite([size - 8] * 1000)
    assert "overlap" in reason(path, "channels")
