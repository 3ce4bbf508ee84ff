"""Image files as they come: damaged, deep, transparent, turned, animated, or no images at all."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from i2i import images
from i2i.errors import DataError
from i2i.images import Mode, cmyk, header, read, resize, save_image
from tests.images.pngs import CHANNELS, GREY, GREY_ALPHA, RGB, RGBA, chunk
from tests.images.pngs import encode as png

Array = NDArray[Any]

RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def photo(height: int = 48, width: int = 64) -> Array:
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).integers(0, 40, (height, width))
    return np.stack([x * 3 + noise, y * 4, 255 - x * 2 - noise], axis=-1).astype(np.uint8)


def bomb(side: int) -> bytes:
    """A small file of very many black pixels."""
    head = struct.pack(">IIBBBBB", side, side, 1, GREY, 0, 0, 0)
    packer = zlib.compressobj()
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def reason(path: Path, mode: Mode = "rgb", **options: Any) -> str:
    """Why a file can't be read; the one problem has to name it."""
    with pytest.raises(DataError) as caught:
        read(path, mode, **options)
    (problem,) = caught.value.problems
    assert str(path) in problem
    return problem.replace(str(path), "")


# Damage


@pytest.mark.parametrize("part", [0.02, 0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_found(tmp_path: Path, part: float, progressive: bool) -> None:
    path = tmp_path / "cut.jpg"
    Image.fromarray(photo()).save(path, quality=95, progressive=progressive)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert reason(path)


@pytest.mark.parametrize("part", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_png_is_found(tmp_path: Path, part: float) -> None:
    path = tmp_path / "cut.png"
    save_image(photo(), tmp_path / "cut")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert reason(path)


def test_a_flipped_bit_anywhere_in_a_pngs_pixels_is_found(tmp_path: Path) -> None:
    path = tmp_path / "flipped.png"
    save_image(photo(), tmp_path / "flipped")
    whole = path.read_bytes()
    first = whole.index(b"IDAT") + 4
    last = whole.index(b"IEND") - 8
    for place in np.linspace(first, last - 1, 40).astype(int):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        assert reason(path)


def test_a_flipped_bit_in_a_16_bit_png_is_found(tmp_path: Path) -> None:
    damaged = bytearray(png(np.stack([RAMP] * 3, axis=-1), RGB))
    damaged[len(damaged) // 2] ^= 0x10
    path = tmp_path / "flipped.png"
    path.write_bytes(damaged)
    assert reason(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"\n  <html>", "HTML"),
        (b"just some text", "not an image"),
    ],
)
def test_what_is_no_image_is_named_with_what_it_is(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    assert said in reason(path)
    with pytest.raises(DataError, match=said):
        header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "No such file" in reason(tmp_path / "none.png")


def test_a_picture_under_another_formats_name_is_read_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(images.png_bytes(photo()))
    np.testing.assert_array_equal(read(path), photo())


@pytest.mark.parametrize("side", [10_000, 20_000], ids=["pillow only warns", "pillow refuses"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_whatever_becomes_of_warnings(
    tmp_path: Path, side: int
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(side))
    assert path.stat().st_size < 10**5
    assert "bomb" in reason(path)
    with pytest.raises(DataError, match="bomb"):
        header(path)
    with ThreadPoolExecutor(4) as pool:
        assert all("bomb" in said for said in pool.map(reason, [path] * 8))


def test_pages_count_towards_a_decompression_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pages.tif"
    pages = [Image.new("L", (100, 100))] * 20
    pages[0].save(path, save_all=True, append_images=pages[1:])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    assert "bomb" in reason(path, "channels")


def encoded(form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo(20, 24)).save(buffer, form, **options)
    return buffer.getvalue()


VALID = {
    form: encoded(form) for form in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM", "TGA")
} | {"TIFF-lzw": encoded("TIFF", compression="tiff_lzw")}


@given(st.sampled_from(sorted(VALID)), st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.filterwarnings("ignore")
def test_damage_of_any_kind_is_a_data_error_or_goes_unseen(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    content = bytearray(VALID[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged.{name.partition('-')[0].lower()}"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        array = read(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert array.dtype == np.uint8
        assert array.shape[2] == 3


# EXIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_exif_orientation_is_applied_to_pixels_and_to_the_headers_size(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    path = tmp_path / f"turned{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(photo()).save(path, exif=exif, **options)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read(path), expected)
    assert header(path).size == expected.shape[:2]
    assert expected.shape[:2] == ((64, 48) if orientation > 4 else (48, 64))


def test_label_maps_are_turned_too(tmp_path: Path) -> None:
    path = tmp_path / "labels.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(labels).save(path, exif=exif)
    np.testing.assert_array_equal(read(path, "labels")[..., 0], np.rot90(labels, -1))


def test_16_bit_colour_is_turned_too(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    colours = np.stack([RAMP[:5, :9]] * 3, axis=-1)
    path.write_bytes(png(colours, RGB, chunk(b"eXIf", exif.tobytes()[6:])))
    np.testing.assert_array_equal(read(path, depth=16), np.rot90(colours, -1))


# Depth


def deep_files(folder: Path) -> dict[str, Path]:
    """A ramp over all 65,536 greys in every way that Pillow tells differently."""
    files = {name: folder / name for name in ("png.png", "little.tif", "big.tif", "pgm.pgm")}
    files["png.png"].write_bytes(png(RAMP, GREY))
    Image.fromarray(RAMP).save(files["little.tif"])
    Image.fromarray(RAMP.astype(">u2")).save(files["big.tif"])
    files["pgm.pgm"].write_bytes(b"P5 256 256 65535\n" + RAMP.astype(">u2").tobytes())
    return files


@pytest.mark.parametrize("name", ["png.png", "little.tif", "big.tif", "pgm.pgm"])
def test_16_bit_grey_is_scaled_and_rounded_over_its_whole_range(tmp_path: Path, name: str) -> None:
    path = deep_files(tmp_path)[name]
    exact = np.floor(RAMP * 255.0 / 65535 + 0.5)
    np.testing.assert_array_equal(read(path, "gray")[..., 0], exact)
    np.testing.assert_array_equal(read(path, "gray", depth=16)[..., 0], RAMP)
    np.testing.assert_array_equal(read(path, depth=16), np.stack([RAMP] * 3, axis=-1))


def test_16_bit_colour_is_read_at_full_depth_and_scaled(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    colours = np.stack([RAMP, RAMP[::-1], RAMP.T], axis=-1)
    path.write_bytes(png(colours, RGB))
    np.testing.assert_array_equal(read(path, depth=16), colours)
    np.testing.assert_array_equal(read(path), np.floor(colours * 255.0 / 65535 + 0.5))


@given(
    st.sampled_from([RGB, GREY_ALPHA, RGBA]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
    st.booleans(),
    st.integers(0, 1000),
)
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_16_bits_are_read_whole_however_they_are_filtered_and_interlaced(
    tmp_path: Path, colour: int, size: Any, filters: list[int], interlaced: bool, seed: int
) -> None:
    path = tmp_path / "deep.png"
    shape = (*size, CHANNELS[colour])
    samples = np.random.default_rng(seed).integers(0, 65536, shape, dtype=np.uint16)
    path.write_bytes(png(samples, colour, filters=filters, interlaced=interlaced))
    np.testing.assert_array_equal(read(path, "channels", depth=16), samples)


def test_16_bit_alpha_is_composited(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    alpha = np.full_like(RAMP, 32768)
    path.write_bytes(png(np.stack([RAMP, RAMP, RAMP, alpha], axis=-1), RGBA))
    over_black = read(path, depth=16, background="black").astype(int)
    assert np.abs(over_black - RAMP[..., None] * (32768 / 65535)).max() <= 1
    path.write_bytes(png(np.stack([RAMP, alpha], axis=-1), GREY_ALPHA))
    np.testing.assert_array_equal(read(path, depth=16, background="black"), over_black)


def test_16_bit_colour_that_pillow_would_cut_is_read_whole_and_scaled(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    path.write_bytes(tiff(RAMP.repeat(3).astype("<u2").tobytes(), RAMP.shape, channels=3))
    colours = np.stack([RAMP] * 3, axis=-1)
    np.testing.assert_array_equal(read(path, depth=16), colours)
    np.testing.assert_array_equal(read(path), np.floor(colours * 255.0 / 65535 + 0.5))


def test_16_bit_colour_in_a_ppm_is_never_cut_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "deep.ppm"
    path.write_bytes(b"P6 2 1 65535\n" + bytes(12))
    assert "16-bit colour" in reason(path, depth=16)
    path.write_bytes(b"P6 2 1 255\n" + bytes(range(6)))
    assert read(path)[0].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("colour", [GREY, RGB])
def test_16_bits_with_one_transparent_value_are_refused(tmp_path: Path, colour: int) -> None:
    path = tmp_path / "marked.png"
    channels = 1 if colour == GREY else 3
    mark = chunk(b"tRNS", bytes(2 * channels))
    path.write_bytes(png(np.dstack([RAMP[:4, :4]] * channels), colour, mark))
    for depth in (8, 16):
        assert "transparent" in reason(path, depth=depth)


def test_16_bit_grey_whose_0_is_white_is_turned_over(tmp_path: Path) -> None:
    path = tmp_path / "negative.tif"
    path.write_bytes(tiff(RAMP.astype("<u2").tobytes(), RAMP.shape, white_is_zero=True))
    np.testing.assert_array_equal(read(path, "gray", depth=16)[..., 0], 65535 - RAMP)
    assert read(path, "gray")[0, 0, 0] == 255


def test_12_bit_grey_fills_the_range(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff(bytes([0x00, 0x08, 0x00, 0xFF, 0xFF, 0xFF]), (1, 4), bits=12))
    assert read(path, "gray", depth=16).ravel().tolist() == [0, 32776, 65535, 65535]
    assert read(path, "gray").ravel().tolist() == [0, 128, 255, 255]


def tiff(
    pixels: bytes,
    size: tuple[int, ...],
    *,
    bits: int = 16,
    channels: int = 1,
    white_is_zero: bool = False,
) -> bytes:
    """A TIFF of kinds that Pillow can't write."""
    height, width = size
    kind = 2 if channels == 3 else 0 if white_is_zero else 1
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, 8 + len(pixels) if channels == 3 else bits),
        (259, 3, 1, 1),
        (262, 3, 1, kind),
        (273, 4, 1, 8),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(pixels)),
    ]
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    depths = struct.pack("<HHHH", bits, bits, bits, 0)
    start = b"II*\0" + struct.pack("<I", 8 + len(pixels) + len(depths))
    return start + pixels + depths + directory


def test_8_bits_fill_the_range_of_16(tmp_path: Path) -> None:
    path = save_image(photo(), tmp_path / "photo")
    np.testing.assert_array_equal(read(path, depth=16), photo().astype(np.uint16) * 257)


# Transparency and palettes


def test_hidden_colours_behind_transparency_never_show(tmp_path: Path) -> None:
    path = tmp_path / "hidden.png"
    hidden = np.dstack([np.full((4, 4, 3), 200, np.uint8), np.zeros((4, 4), np.uint8)])
    Image.fromarray(hidden).save(path)
    assert (read(path) == 255).all()
    assert (read(path, "gray", background="black") == 0).all()
    assert (read(path, background="#102030") == (0x10, 0x20, 0x30)).all()


def test_alpha_is_blended_as_pillow_composites(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    layer = Image.fromarray(rng.integers(0, 256, (16, 16, 4), dtype=np.uint8))
    path = tmp_path / "layer.png"
    layer.save(path)
    behind = Image.new("RGBA", layer.size, "teal")
    expected = np.asarray(Image.alpha_composite(behind, layer).convert("RGB")).astype(int)
    assert np.abs(read(path, background="teal") - expected).max() <= 1


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_colour_marked_as_transparent_shows_the_background(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (2, 1), 0)
    if mode == "P":
        image.putpalette([9, 9, 9, 70, 80, 90])
    image.putpixel((1, 0), 1 if mode == "P" else 200 if mode == "L" else (70, 80, 90))
    path = tmp_path / "marked.png"
    image.save(path, transparency=(0, 0, 0) if mode == "RGB" else 0)
    shown, kept = read(path, background="red")[0].tolist()
    assert shown == [255, 0, 0]
    assert kept == ([200] * 3 if mode == "L" else [70, 80, 90])


def test_each_palette_entry_may_have_an_alpha_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "marked.png"
    image = Image.new("P", (4, 1))
    image.putdata([0, 1, 2, 3])
    image.putpalette([200, 0, 0, 200, 0, 0, 200, 0, 0, 7, 8, 9])
    image.save(path, transparency=bytes([0, 51, 255]))
    shown = read(path, background="#00ff00")[0].tolist()
    assert shown == [[0, 255, 0], [40, 204, 0], [200, 0, 0], [7, 8, 9]]
    alphas = read(path, "channels")[0, :, 3].tolist()
    assert alphas == [0, 51, 255, 255]


def test_a_transparent_gif_is_composited(tmp_path: Path) -> None:
    path = tmp_path / "single.gif"
    image = Image.new("P", (2, 1), 0)
    image.putpalette([9, 9, 9, 70, 80, 90])
    image.putpixel((1, 0), 1)
    image.save(path, transparency=0)
    assert read(path, background="blue")[0].tolist() == [[0, 0, 255], [70, 80, 90]]


def test_label_maps_keep_their_indices_whatever_the_palette(tmp_path: Path) -> None:
    path = tmp_path / "labels.png"
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(indices, "P")
    image.putpalette(list(range(255, 219, -1)))
    image.save(path, transparency=3)
    np.testing.assert_array_equal(read(path, "labels")[..., 0], indices)
    assert read(path)[0, 0].tolist() == [255, 254, 253]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("suffix", [".png", ".npy", ".bmp"])
def test_labels_are_never_scaled(tmp_path: Path, depth: Any, suffix: str) -> None:
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    path = tmp_path / f"labels{suffix}"
    if suffix == ".npy":
        np.save(path, labels)
    else:
        Image.fromarray(labels).save(path)
    np.testing.assert_array_equal(read(path, "labels", depth=depth)[..., 0], labels)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("palette", [False, True])
def test_labels_of_few_bits_are_not_spread_over_8(tmp_path: Path, bits: int, palette: bool) -> None:
    count = 2**bits
    packed = int("".join(f"{label:0{bits}b}" for label in range(count)), 2) << (-count * bits % 8)
    row = b"\0" + packed.to_bytes((count * bits + 7) // 8, "big")
    head = struct.pack(">IIBBBBB", count, 1, bits, 3 if palette else GREY, 0, 0, 0)
    colours = chunk(b"PLTE", bytes(range(100, 100 + 3 * count))) if palette else b""
    path = tmp_path / "labels.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + colours
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
    assert read(path, "labels")[0, :, 0].tolist() == list(range(count))
    if not palette:
        assert read(path, "gray")[0, [0, -1], 0].tolist() == [0, 255]


@pytest.mark.parametrize("dtype", [np.bool_, np.uint16, np.int64])
def test_labels_in_arrays_may_be_any_whole_numbers_up_to_255(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "labels.npy"
    labels = np.array([[0, 1], [1, 0]], dtype)
    np.save(path, labels)
    assert read(path, "labels").dtype == np.uint8
    np.testing.assert_array_equal(read(path, "labels")[..., 0], labels)


@pytest.mark.parametrize("label", [-1, 256, 70_000])
def test_labels_beyond_8_bits_are_refused(tmp_path: Path, label: int) -> None:
    path = tmp_path / "labels.npy"
    np.save(path, np.array([[0, label]]))
    assert str(label) in reason(path, "labels")


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "LA"])
def test_deep_and_transparent_pictures_are_no_label_maps(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "other.png"
    Image.new(mode, (2, 2)).save(path)
    assert "label" in reason(path, "labels")


@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_coloured_pictures_are_no_label_maps(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"colours{suffix}"
    if suffix == ".npy":
        np.save(path, photo())
    else:
        Image.fromarray(photo()).save(path)
    assert "label" in reason(path, "labels")


# Colour spaces and floats


def test_cmyk_is_converted_with_one_warning_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cmyk, "_files", count())
    path = tmp_path / "print.jpg"
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(4) as pool:
            colours = list(pool.map(read, [path] * 12))
    assert len(caught) == 1
    assert "CMYK" in str(caught[0].message)
    red, green, blue = colours[0][4, 4]
    assert (red > 230, green < 25, blue < 25) == (True, True, True)


def test_floats_without_a_declared_range_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "heights.tif"
    heights = np.linspace(-2, 6, 16, dtype=np.float32).reshape(4, 4)
    Image.fromarray(heights).save(path)
    assert "float_range" in reason(path, "gray")
    ramp = np.rint(np.linspace(0, 255, 16)).reshape(4, 4)
    np.testing.assert_array_equal(read(path, "gray", float_range=(-2, 6))[..., 0], ramp)
    assert read(path, "gray", float_range=(0, 1))[0, 0, 0] == 0
    assert read(path, "gray", float_range=(0, 1), depth=16).max() == 65535


def test_32_bit_integers_need_a_range_as_well(tmp_path: Path) -> None:
    path = tmp_path / "wide.tif"
    Image.fromarray(np.array([[0, 100_000]], np.int32)).save(path)
    assert "float_range" in reason(path, "gray")
    assert read(path, "gray", float_range=(0, 100_000)).ravel().tolist() == [0, 255]


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "holes.tif"
    Image.fromarray(np.array([[0, np.nan], [np.inf, 1]], np.float32)).save(path)
    assert "finite" in reason(path, "gray", float_range=(0, 1))


def test_grey_is_pillows_luma(tmp_path: Path) -> None:
    path = save_image(photo(), tmp_path / "photo")
    expected = np.asarray(Image.fromarray(photo()).convert("L")).astype(int)
    assert np.abs(read(path, "gray")[..., 0] - expected).max() <= 1


# Frames and channels


def save_frames(path: Path, frames: list[Image.Image]) -> None:
    frames[0].save(path, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_several_frames_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"frames{suffix}"
    save_frames(path, [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")])
    assert "2 frames" in reason(path)
    with pytest.raises(DataError, match="2 frames"):
        header(path)


def test_a_phones_photo_with_its_preview_is_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    main, preview = Image.fromarray(photo()), Image.new("RGB", (8, 8))
    main.save(path, "MPO", save_all=True, append_images=[preview])
    assert read(path).shape == (48, 64, 3)


def test_the_pages_of_a_tiff_are_its_channels(tmp_path: Path) -> None:
    path = tmp_path / "bands.tif"
    bands = np.random.default_rng(2).integers(0, 65536, (6, 8, 9), dtype=np.uint16)
    save_frames(path, [Image.fromarray(band) for band in bands])
    np.testing.assert_array_equal(read(path, "channels", depth=16), bands.transpose(1, 2, 0))
    assert header(path, "channels").channels == 6


def test_pages_of_several_sizes_are_no_channels(tmp_path: Path) -> None:
    path = tmp_path / "bands.tif"
    save_frames(path, [Image.new("L", (8, 8)), Image.new("L", (8, 9))])
    assert "pages" in reason(path, "channels")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.dtype(">u2")])
def test_an_array_of_any_number_of_channels_is_read(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "bands.npy"
    bands = np.random.default_rng(3).integers(0, 256, (5, 4, 7)).astype(dtype)
    np.save(path, bands)
    depth: Any = np.dtype(dtype).itemsize * 8
    np.testing.assert_array_equal(read(path, "channels", depth=depth), bands)
    assert header(path, "channels").channels == 7
    assert "7 channels" in reason(path)


@pytest.mark.parametrize(
    "array",
    [
        np.array({"a": 1}, object),
        np.zeros(3, np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 0), np.uint8),
        np.zeros((4, 4), np.complex64),
        np.zeros((4, 4), "u1,u1"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path: Path, array: Array) -> None:
    path = tmp_path / "other.npy"
    np.save(path, array, allow_pickle=True)
    assert reason(path, "channels")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16"])
def test_the_header_tells_how_many_channels_there_will_be(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    Image.new(mode, (4, 4)).save(path)
    assert header(path, "channels").channels == read(path, "channels").shape[2]


@pytest.mark.parametrize(("mode", "mark"), [("P", 0), ("L", 0), ("RGB", (0, 0, 0))])
def test_the_header_counts_channels_with_a_transparent_colour_too(
    tmp_path: Path, mode: str, mark: Any
) -> None:
    path = tmp_path / "image.png"
    Image.new(mode, (4, 4)).save(path, transparency=mark)
    assert header(path, "channels").channels == read(path, "channels").shape[2]


def test_16_bit_grey_with_alpha_has_the_channels_its_header_tells(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(np.stack([RAMP, RAMP], axis=-1), GREY_ALPHA))
    assert header(path, "channels").channels == read(path, "channels").shape[2]


def test_an_array_that_was_not_written_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.npy"
    np.save(path, photo())
    whole = path.read_bytes()
    for part in (0, 3, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:part])
        assert reason(path)
        with pytest.raises(DataError, match="cut"):
            header(path)


# Resizing and writing


@pytest.mark.parametrize("size", [(20, 31), (96, 128), (48, 64)])
def test_colour_is_resized_as_pillow_does(size: tuple[int, int]) -> None:
    expected = Image.fromarray(photo()).resize(size[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize(photo(), size), np.asarray(expected))


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_channel_is_resized_by_itself(channels: int, dtype: Any) -> None:
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(4)
    array = rng.integers(0, top + 1, (30, 40, channels)).astype(dtype)
    resized = resize(array, (13, 17))
    assert resized.dtype == dtype
    for channel in range(channels):
        plane = Image.fromarray(array[..., channel].astype(np.float32))
        exact = np.asarray(plane.resize((17, 13), Image.Resampling.BICUBIC)).clip(0, top)
        assert np.abs(resized[..., channel] - exact).max() <= 1


def test_resizing_overshoots_into_neither_end_of_the_range() -> None:
    edge = np.zeros((8, 8, 1), np.uint16)
    edge[:, 4:] = 65535
    grown = resize(edge, (64, 64))
    assert (grown[:, 0] == 0).all()
    assert (grown[:, -1] == 65535).all()
    assert (np.diff(grown[0, :, 0].astype(int)) >= -2000).all()


@given(
    st.integers(1, 20), st.integers(1, 20), st.integers(1, 40), st.integers(1, 40), st.booleans()
)
@settings(deadline=None)
def test_labels_resize_to_labels(h: int, w: int, height: int, width: int, wide: bool) -> None:
    dtype = np.uint16 if wide else np.uint8
    labels = np.random.default_rng(h * w).choice([1, 7, 200], (h, w, 1)).astype(dtype)
    resized = resize(labels, (height, width), labels=True)
    assert resized.shape == (height, width, 1)
    assert set(np.unique(resized)) <= set(np.unique(labels))


@pytest.mark.parametrize(
    ("channels", "dtype", "suffix"),
    [
        (1, np.uint8, ".png"),
        (3, np.uint8, ".png"),
        (1, np.uint16, ".png"),
        (3, np.uint16, ".npy"),
        (5, np.uint8, ".npy"),
    ],
)
def test_a_written_image_is_read_back_exactly(
    tmp_path: Path, channels: int, dtype: Any, suffix: str
) -> None:
    array = (
        np.random.default_rng(5).integers(0, np.iinfo(dtype).max, (6, 9, channels)).astype(dtype)
    )
    path = save_image(array, tmp_path / "sub" / "a.b")
    assert path.name == f"a.b{suffix}"
    depth: Any = np.dtype(dtype).itemsize * 8
    np.testing.assert_array_equal(read(path, "channels", depth=depth), array)


def test_every_thread_reads_the_same(tmp_path: Path) -> None:
    path = save_image(photo(), tmp_path / "photo")
    task: Callable[[int], Array] = lambda _: read(path)  # noqa: E731
    with ThreadPoolExecutor(8) as pool:
        assert all((array == photo()).all() for array in pool.map(task, range(32)))
