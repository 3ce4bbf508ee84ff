"""Values of every type between a declared black and white, and images that stay small in memory."""

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from i2i.errors import DataError
from i2i.images import cmyk, pixels, pixels_of, read, read_picture, trust_up_to, write_picture
from i2i.images.content import Content
from i2i.images.decoding import picture_of

Array = NDArray[Any]

SUFFIXES = (".png", ".tif", ".npy")


def ramp(dtype: Any, low: float, high: float) -> Array:
    return np.linspace(low, high, 48).round(3).astype(dtype).reshape(6, 8)


def save(path: Path, samples: Array, **options: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, samples)
    elif path.suffix == ".png":
        Image.fromarray(samples).save(path)
    else:
        tifffile.imwrite(path, samples, **options)
    return path


def scaled(samples: Array, black: float, white: float, top: int = 65535) -> Array:
    unit = (samples.astype(np.float64) - black) / (white - black)
    return np.rint(unit.clip(0, 1) * top)


@pytest.mark.parametrize(
    ("dtype", "suffixes", "black", "white"),
    [
        (np.uint8, SUFFIXES, 0, 1),
        (np.uint8, SUFFIXES, 40, 90),
        (np.uint16, SUFFIXES, 0, 1023),
        (np.uint16, SUFFIXES, 30_000, 34_000),
        (np.int8, (".tif", ".npy"), -100, 100),
        (np.int16, (".tif", ".npy"), -1024, 3071),
        (np.uint32, (".tif", ".npy"), 0, 2**32 - 1),
        (np.int32, (".tif", ".npy"), -(2**31), 2**31 - 1),
        (np.uint64, (".tif", ".npy"), 0, 2**40),
        (np.float16, (".tif", ".npy"), -1, 1),
        (np.float32, (".tif", ".npy"), -0.5, 8),
        (np.float64, (".tif", ".npy"), 1e-9, 2e-9),
    ],
)
def test_a_declared_range_holds_for_every_type(
    tmp_path: Path, dtype: Any, suffixes: tuple[str, ...], black: float, white: float
) -> None:
    kind = np.dtype(dtype).kind
    low, high = black, white + (white - black) / 4
    if kind in "iu":
        low, high = max(low, np.iinfo(dtype).min), min(high, np.iinfo(dtype).max)
    samples = np.linspace(low, high, 48).astype(dtype).reshape(6, 8)
    for suffix in suffixes:
        path = save(tmp_path / f"values{suffix}", samples)
        found = read(path, "gray", depth=16, float_range=(black, white))[..., 0]
        np.testing.assert_allclose(found, scaled(samples, black, white), atol=1)
        eight = read(path, "gray", float_range=(black, white))[..., 0]
        np.testing.assert_allclose(eight, scaled(samples, black, white, 255), atol=1)
        in_memory = pixels_of(samples, "gray", float_range=(black, white))
        depth: Any = in_memory.dtype.itemsize * 8
        same = read(path, "gray", depth=depth, float_range=(black, white))
        np.testing.assert_array_equal(in_memory, same)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint32, np.int32, np.uint64])
def test_types_beyond_16_unsigned_bits_need_a_range_and_are_read_rightly_with_one(
    tmp_path: Path, dtype: Any, byteorder: Any, compression: Any
) -> None:
    limits = np.iinfo(dtype)
    samples = np.array([[limits.min, limits.min // 2], [limits.max // 2, limits.max]], dtype)
    path = tmp_path / "wide.tif"
    tifffile.imwrite(path, samples, byteorder=byteorder, compression=compression)
    with pytest.raises(DataError, match="float_range"):
        read(path, "gray")
    found = read(path, "gray", depth=16, float_range=(limits.min, limits.max))
    expected = scaled(samples, float(limits.min), float(limits.max))
    np.testing.assert_allclose(found[..., 0], expected, atol=1)


def test_negative_labels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, np.array([[-1, 0], [1, 2]], np.int8))
    with pytest.raises(DataError, match="label map"):
        read(path, "labels")


def test_a_range_holds_for_colour_and_never_for_alpha(tmp_path: Path) -> None:
    path = tmp_path / "layer.png"
    colours = np.full((2, 3, 3), 50, np.uint8)
    alpha = np.array([[0, 1, 255], [128, 100, 200]], np.uint8)[..., None]
    write_picture(path, colours, alpha=alpha)
    kept = read_picture(path, float_range=(0, 100), background="black")
    assert kept.alpha is not None
    np.testing.assert_array_equal(kept.alpha, alpha)
    np.testing.assert_allclose(kept.pixels[..., 0], 127.5 * (alpha[..., 0] / 255), atol=1)
    np.testing.assert_array_equal(read(path, "gray", float_range=(0, 50))[0, 2], 255)


def test_a_range_is_about_stored_values_whatever_the_tags_say(tmp_path: Path) -> None:
    samples = ramp(np.uint16, 0, 4095)
    path = tmp_path / "negative.tif"
    tifffile.imwrite(path, samples, photometric="miniswhite")
    assert read(path, "gray", depth=16)[0, 0, 0] == 65535
    found = read(path, "gray", depth=16, float_range=(0, 4095))[..., 0]
    np.testing.assert_array_equal(found, scaled(samples, 0, 4095))


def test_a_range_is_nothing_to_black_and_white_or_to_labels(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[False, True]])).save(path)
    assert read(path, "gray", float_range=(0, 1000)).ravel().tolist() == [0, 255]
    Image.fromarray(np.array([[0, 7]], np.uint8)).save(path)
    assert read(path, "labels", float_range=(0, 1)).ravel().tolist() == [0, 7]


# Memory


def large(channels: int, dtype: Any = np.uint8) -> Array:
    rng = np.random.default_rng(0)
    return rng.integers(0, np.iinfo(dtype).max, (1500, 1000, channels)).astype(dtype)


CONVERSIONS: dict[str, tuple[Array, Callable[[Array], Array], int]] = {
    "composite": (large(4), lambda a: pixels.composite(a, (255, 0, 9)), 3),
    "grey": (large(3), pixels.as_gray, 1),
    "16 to 8": (large(3, np.uint16), lambda a: pixels.to_depth(a, 8), 3),
    "range": (large(3), lambda a: pixels.to_depth(a, 8, (3, 200)), 3),
    "cmyk": (large(4), cmyk.as_rgb, 3),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_conversion_needs_little_more_memory_than_its_result(name: str) -> None:
    array, convert, each = CONVERSIONS[name]
    convert(array[:2])
    tracemalloc.start()
    try:
        convert(array)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / (1500 * 1000) < each + 24


@pytest.mark.parametrize("name", CONVERSIONS)
def test_bands_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    array, convert, _ = CONVERSIONS[name]
    array = array[:50]
    monkeypatch.setattr(pixels, "BAND", 10**9)
    whole = convert(array)
    for band in (1, 7_000, 12_345):
        monkeypatch.setattr(pixels, "BAND", band)
        np.testing.assert_array_equal(convert(array), whole)


def test_a_transparent_picture_is_read_in_few_bytes_a_pixel() -> None:
    content = Content(large(4), alpha=True)
    tracemalloc.start()
    try:
        picture_of(content, "rgb", depth=8)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / (1500 * 1000) < 20


# Arrays


def test_an_npy_has_the_limit_of_pixels_that_other_files_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    trust_up_to(1000)
    path = tmp_path / "values.npy"
    for shape in ((40, 40), (40, 40, 3), (10, 10, 20)):
        np.save(path, np.zeros(shape, np.uint8))
        with pytest.raises(DataError, match="bomb"):
            read(path, "channels")
    trust_up_to(1600)
    np.save(path, np.zeros((40, 40, 3), np.uint8))
    assert read(path).shape == (40, 40, 3)


def npy(header: str, version: bytes = b"\1\0", data: bytes = bytes(64)) -> bytes:
    size = len(header).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + size + header.encode() + data


@pytest.mark.parametrize(
    "content",
    [
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 0)}"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-4, -4)}"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999, 99999999)}"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10**9, 4)}"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (4, 4)}"),
        npy("{'descr': '|V0', 'fortran_order': False, 'shape': (4, 4)}"),
        npy("{'descr': '<U4', 'fortran_order': False, 'shape': (2, 2)}"),
        npy("{'descr': '|u1', 'fortran_order': 7, 'shape': (4, 4)}"),
        npy("{'descr': '|u1', 'shape': (4, 4)}"),
        npy("[" * 5000),
        npy(" " * 100_000, b"\2\0"),
        npy("", b"\2\0")[:8] + b"\xff\xff\xff\xff",
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4)}", b"\7\0"),
    ],
)
def test_an_npy_that_asks_for_anything_else_is_refused_in_a_line(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "values.npy"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, "channels")
    (problem,) = caught.value.problems
    assert str(path) in problem
    assert len(problem.splitlines()) == 1
    assert len(problem) < 600


def test_columns_may_come_first_in_an_npy(tmp_path: Path) -> None:
    values = np.asfortranarray(large(3)[:20, :30])
    np.save(tmp_path / "values.npy", values)
    np.testing.assert_array_equal(read(tmp_path / "values.npy"), values)
    buffer = io.BytesIO()
    np.save(buffer, values)
    assert b"'fortran_order': True" in buffer.getvalue()
