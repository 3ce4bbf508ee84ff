"""Pictures that keep their depth, alpha, profile and size in print, whoever wrote or reads them."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import io as skimage_io

from i2i.errors import DataError
from i2i.images import (
    Mode,
    Picture,
    cmyk,
    header,
    lossless_suffix,
    png_bytes,
    read,
    read_picture,
    save_image,
    write_picture,
)
from i2i.images.pixels import as_gray, composite, upright
from tests.images import pngs

Array = NDArray[Any]

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY = SRGB[:16] + b"GRAY" + SRGB[20:]
"""No profile that anybody could use, but one that says it is for greys."""

WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, OFFSETS, ORIENTATION = 256, 257, 258, 259, 262, 273, 274
SAMPLES, COUNTS, RESOLUTION, EXTRA = 277, 279, 282, 338
"""Tags of TIFF."""


def noise(height: int, width: int, channels: int, dtype: Any = np.uint8, seed: int = 0) -> Array:
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(seed)
    return rng.integers(0, top + 1, (height, width, channels)).astype(dtype)


def patched(path: Path, **tags: int) -> None:
    """Change what the tags of a little-endian TIFF say, those whose value is in the tag itself."""
    content = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, start)
    changes = {globals()[name]: value for name, value in tags.items()}
    for entry in range(start + 2, start + 2 + 12 * entries, 12):
        (tag,) = struct.unpack_from("<H", content, entry)
        if tag in changes:
            struct.pack_into("<HII", content, entry + 2, 4, 1, changes.pop(tag))
    assert not changes
    path.write_bytes(content)


def reason(path: Path, mode: Mode = "rgb", **options: Any) -> str:
    """Why a file can't be read; the one problem has to name it."""
    with pytest.raises(DataError) as caught:
        read_picture(path, mode, **options)
    (problem,) = caught.value.problems
    assert str(path) in problem
    return problem.replace(str(path), "")


# Round trips


@given(
    st.sampled_from([".png", ".tif", ".TIFF"]),
    st.integers(1, 7),
    st.sampled_from([np.uint8, np.uint16]),
    st.booleans(),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 1000),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_written_is_read_back_to_the_last_bit(
    tmp_path: Path, suffix: str, channels: int, dtype: Any, alpha: bool, size: Any, seed: int
) -> None:
    if suffix == ".png":
        channels = 1 if channels < 4 else 3
    samples = noise(*size, channels + alpha, dtype, seed)
    pixels = samples[..., :channels]
    behind = samples[..., channels:] if alpha else None
    path = tmp_path / f"picture{suffix}"
    write_picture(path, pixels, alpha=behind)

    whole = read_picture(path, "channels")
    np.testing.assert_array_equal(whole.pixels, samples)
    assert (whole.pixels.dtype, whole.alpha) == (dtype, None)
    assert header(path, "channels").channels == samples.shape[2]
    assert header(path).size == size
    if channels not in (1, 3):
        assert f"{samples.shape[2]} channels" in reason(path)
        return
    shown = read_picture(path, "rgb" if channels == 3 else "gray")
    assert shown.pixels.dtype == dtype
    if behind is None:
        assert shown.alpha is None
        np.testing.assert_array_equal(shown.pixels, pixels)
    else:
        assert shown.alpha is not None
        assert shown.alpha.dtype == dtype
        np.testing.assert_array_equal(shown.alpha, behind)
        over_white = composite(samples, (255, 255, 255))
        expected = over_white if channels == 3 else as_gray(over_white)
        np.testing.assert_array_equal(shown.pixels, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_npy_keeps_pixels_and_nothing_else(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "picture.NPY"
    pixels = noise(4, 5, 6, dtype)
    write_picture(path, pixels, alpha=pixels[..., :1], profile=SRGB, dpi=(300, 300))
    assert [file.name for file in tmp_path.iterdir()] == ["picture.NPY"]
    kept = read_picture(path, "channels")
    np.testing.assert_array_equal(kept.pixels, pixels)
    assert (kept.alpha, kept.profile, kept.dpi) == (None, None, None)


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (1, np.uint16)])
def test_a_plain_png_is_the_evaluations_to_the_byte(
    tmp_path: Path, channels: int, dtype: Any
) -> None:
    pixels = noise(20, 30, channels, dtype)
    write_picture(tmp_path / "picture.png", pixels)
    saved = save_image(pixels, tmp_path / "evaluation")
    buffer = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    image.save(buffer, "PNG", compress_level=3)
    written = (tmp_path / "picture.png").read_bytes()
    assert written == saved.read_bytes() == png_bytes(pixels) == buffer.getvalue()
    with Image.open(io.BytesIO(written)) as read_back:
        np.testing.assert_array_equal(np.asarray(read_back).reshape(pixels.shape), pixels)


def test_the_lossless_suffix_is_one_that_holds_the_channels(tmp_path: Path) -> None:
    assert [lossless_suffix(n) for n in (1, 2, 3, 4, 9)] == [".png", ".tif", ".png", ".tif", ".tif"]
    for channels in range(1, 10):
        pixels = noise(3, 4, channels)
        path = tmp_path / f"{channels}{lossless_suffix(channels)}"
        write_picture(path, pixels)
        np.testing.assert_array_equal(read(path, "channels"), pixels)


# Other programs read what is written


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("tagged", [False, True])
def test_our_pngs_are_as_the_specification_has_them(
    tmp_path: Path, channels: int, alpha: bool, dtype: Any, tagged: bool
) -> None:
    samples = noise(33, 21, channels + alpha, dtype)
    path = tmp_path / "picture.png"
    write_picture(
        path,
        samples[..., :channels],
        alpha=samples[..., channels:] if alpha else None,
        profile=(SRGB if channels == 3 else GRAY) if tagged else None,
        dpi=(300, 150) if tagged else None,
    )
    np.testing.assert_array_equal(pngs.decode(path.read_bytes()), samples)
    with Image.open(path) as image:
        image.verify()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
def test_pillow_and_scikit_image_read_our_8_bits(
    tmp_path: Path, suffix: str, channels: int, alpha: bool
) -> None:
    samples = noise(33, 21, channels + alpha)
    path = tmp_path / f"picture{suffix}"
    write_picture(path, samples[..., :channels], alpha=samples[..., channels:] if alpha else None)
    with Image.open(path) as image:
        assert image.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
        np.testing.assert_array_equal(np.asarray(image), samples.squeeze())
    np.testing.assert_array_equal(skimage_io.imread(path), samples.squeeze())


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tifffile_and_scikit_image_read_our_tiffs(
    tmp_path: Path, channels: int, alpha: bool, dtype: Any
) -> None:
    samples = noise(33, 21, channels + alpha, dtype)
    path = tmp_path / "picture.tif"
    write_picture(path, samples[..., :channels], alpha=samples[..., channels:] if alpha else None)
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        np.testing.assert_array_equal(page.asarray(), samples.squeeze())
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        beyond = channels - (3 if channels == 3 else 1)
        assert [int(extra) for extra in page.extrasamples] == [0] * beyond + [2] * alpha
    # scikit-image takes a small first axis for that of the channels, but 33 isn't small.
    np.testing.assert_array_equal(skimage_io.imread(path), samples.squeeze())


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_close_and_keeps_its_colours_at_full_size(tmp_path: Path, channels: int) -> None:
    y, x = np.mgrid[:40, :60]
    smooth = np.stack([x * 4, y * 6, 255 - x * 3][:channels], axis=-1).astype(np.uint8)
    path, deep = tmp_path / "picture.jpg", tmp_path / "deep.JPEG"
    write_picture(path, smooth)
    write_picture(deep, (smooth * 257.0 + 100).clip(0, 65535).astype(np.uint16))
    assert path.read_bytes() == deep.read_bytes()
    assert np.abs(read(path, "channels").astype(int) - smooth).max() <= 6
    with Image.open(path) as image:
        assert image.mode == ("L" if channels == 1 else "RGB")
        assert all(layer[1:3] == (1, 1) for layer in image.layer)  # type: ignore[attr-defined]


# What a file can't hold


@pytest.mark.parametrize(
    ("name", "pixels", "options", "said"),
    [
        ("a.png", noise(2, 2, 5), {}, "holds 1 or 3 channels, not 5; write a .tif"),
        ("a.jpg", noise(2, 2, 4), {}, "holds 1 or 3 channels, not 4; write a .tif"),
        ("a.jpg", noise(2, 2, 3), {"alpha": noise(2, 2, 1)}, "holds no alpha"),
        ("a.bmp", noise(2, 2, 3), {}, r"\.png, \.tif, \.jpg or \.npy, not \"\.bmp\""),
        ("a", noise(2, 2, 3), {}, 'not ""'),
        ("a.png", noise(2, 2, 3).astype(np.float32), {}, "float32"),
        ("a.npy", noise(2, 2, 3)[..., 0], {}, "height, width, channels"),
        ("a.png", noise(2, 2, 3), {"alpha": noise(2, 3, 1)}, "doesn't go with"),
        ("a.png", noise(2, 2, 3), {"alpha": noise(2, 2, 1, np.uint16)}, "doesn't go with"),
    ],
)
def test_what_the_format_cant_hold_is_refused_and_nothing_written(
    tmp_path: Path, name: str, pixels: Array, options: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        write_picture(tmp_path / name, pixels, **options)
    assert not list(tmp_path.iterdir())


# Profiles and print sizes


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_profile_comes_back_byte_for_byte_where_it_fits(
    tmp_path: Path, suffix: str, dtype: Any, channels: int
) -> None:
    path = tmp_path / f"picture{suffix}"
    fitting, other = (GRAY, SRGB) if channels == 1 else (SRGB, GRAY)
    write_picture(path, noise(5, 6, channels, dtype), profile=fitting)
    assert read_picture(path).profile == fitting
    with Image.open(path) as image:
        assert image.info["icc_profile"] == fitting
    for misfit in (other, b"short", b""):
        write_picture(path, noise(5, 6, channels, dtype), profile=misfit)
        assert read_picture(path).profile is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_profile_too_large_for_readers_of_png_is_left_out(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "picture.png"
    huge = SRGB + bytes(2**20)
    write_picture(path, noise(5, 6, 3, dtype), profile=huge)
    assert read_picture(path).profile is None
    write_picture(path.with_suffix(".tif"), noise(5, 6, 3, dtype), profile=huge)
    assert read_picture(path.with_suffix(".tif")).profile == huge


def test_many_channels_have_no_profile(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.tif", noise(5, 6, 5), profile=SRGB)
    assert read_picture(tmp_path / "a.tif", "channels").profile is None


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("dpi", [(72, 72), (300, 150), (72.009, 299.9994), (1, 65535)])
def test_dots_per_inch_come_back_within_a_tenth(
    tmp_path: Path, suffix: str, dtype: Any, dpi: tuple[float, float]
) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, noise(5, 6, 3, dtype), dpi=dpi)
    assert read_picture(path).dpi == pytest.approx(dpi, abs=0.1)
    with Image.open(path) as image:
        assert tuple(map(float, image.info["dpi"])) == pytest.approx(dpi, abs=0.1)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("dpi", [None, (0, 72), (72, 1e6), (float("nan"), 72)])
def test_no_or_senseless_dots_per_inch_are_left_out(tmp_path: Path, suffix: str, dpi: Any) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, noise(5, 6, 3), dpi=dpi)
    assert read_picture(path).dpi is None


@pytest.mark.parametrize("channels", [3, 5])
@pytest.mark.parametrize("value", [(1, 0), (0, 1), (0, 0)])
def test_dots_per_inch_that_are_no_numbers_are_dropped(
    tmp_path: Path, channels: int, value: tuple[int, int]
) -> None:
    path = tmp_path / "picture.tif"
    write_picture(path, noise(5, 6, channels), dpi=(300, 300))
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["XResolution"].overwrite(value)
    assert read_picture(path, "channels").dpi is None


@pytest.mark.parametrize("channels", [3, 5])
def test_dots_per_centimetre_are_converted(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "picture.tif"
    tifffile.imwrite(
        path,
        noise(5, 6, channels),
        photometric="rgb",
        resolution=(100, 50),
        resolutionunit="centimeter",
    )
    assert read_picture(path, "channels").dpi == pytest.approx((254, 127))


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["8-bit png", "16-bit png", "8-bit tiff", "16-bit tiff", "bands"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pixels_alpha_and_dots_per_inch_are_all_turned_upright(
    tmp_path: Path, orientation: int, form: str
) -> None:
    dtype = np.uint16 if "16" in form else np.uint8
    samples = noise(7, 5, 6 if form == "bands" else 4, dtype)
    path = tmp_path / ("picture.png" if "png" in form else "picture.tif")
    if "png" in form:
        write_picture(path, samples[..., :3], alpha=samples[..., 3:], dpi=(300, 150))
        content = path.read_bytes()
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = b"eXIf" + exif.tobytes()[6:]
        chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
        path.write_bytes(content[:33] + chunk + content[33:])
    else:
        tifffile.imwrite(
            path,
            samples,
            photometric="rgb",
            extrasamples=["unassalpha"] + ["unspecified"] * (samples.shape[2] - 4),
            resolution=(300, 150),
            resolutionunit="inch",
            extratags=[(ORIENTATION, "H", 1, orientation, True)],
        )
    expected = upright(samples, orientation)
    kept = read_picture(path)
    assert kept.alpha is not None
    np.testing.assert_array_equal(kept.alpha, expected[..., 3:4])
    np.testing.assert_array_equal(kept.pixels, composite(expected[..., :4], (255, 255, 255)))
    dpi = (150, 300) if orientation > 4 else (300, 150)
    assert kept.dpi == pytest.approx(dpi, abs=0.1)
    assert header(path).size == kept.pixels.shape[:2]
    np.testing.assert_array_equal(read_picture(path, "channels").pixels, expected)


# Alpha and depth


def test_hidden_colours_are_covered_and_alpha_kept(tmp_path: Path) -> None:
    path = tmp_path / "hidden.png"
    layer = np.dstack([np.full((4, 4, 3), 200, np.uint8), np.zeros((4, 4), np.uint8)])
    layer[0, 0, 3] = 255
    Image.fromarray(layer).save(path)
    kept = read_picture(path, background="black")
    assert kept.alpha is not None
    np.testing.assert_array_equal(kept.alpha, layer[..., 3:])
    assert kept.pixels[0, 0].tolist() == [200, 200, 200]
    assert kept.pixels.sum() == 600
    assert read_picture(path, "channels").alpha is None


def test_a_palettes_transparency_is_alpha_but_not_of_a_label_map(tmp_path: Path) -> None:
    path = tmp_path / "marked.png"
    image = Image.new("P", (2, 1), 0)
    image.putpalette([9, 9, 9, 70, 80, 90])
    image.putpixel((1, 0), 1)
    image.save(path, transparency=0)
    kept = read_picture(path)
    assert kept.alpha is not None
    assert kept.alpha.ravel().tolist() == [0, 255]
    labels = read_picture(path, "labels")
    assert (labels.alpha, labels.pixels.ravel().tolist()) == (None, [0, 1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_alpha_is_brought_to_the_depth_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "layer.png"
    layer = noise(5, 6, 4, np.uint16)
    write_picture(path, layer[..., :3], alpha=layer[..., 3:])
    kept = read_picture(path, depth=8)
    assert kept.alpha is not None
    assert (kept.alpha.dtype, kept.pixels.dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(kept.alpha, np.floor(layer[..., 3:] * 255.0 / 65535 + 0.5))


@pytest.mark.parametrize(
    ("mode", "depth"), [("1", 8), ("L", 8), ("P", 8), ("RGB", 8), ("I;16", 16), ("F", 16)]
)
def test_a_file_is_read_at_its_own_depth(tmp_path: Path, mode: str, depth: int) -> None:
    path = tmp_path / "picture.tif"
    Image.new(mode, (3, 2)).save(path)
    kept = read_picture(path, float_range=(0, 1))
    assert kept.pixels.dtype.itemsize * 8 == depth


@pytest.mark.parametrize(
    ("dtype", "depth"), [(np.bool_, 8), (np.uint8, 8), (np.uint16, 16), (np.int64, 16)]
)
def test_an_array_is_read_at_its_own_depth(tmp_path: Path, dtype: Any, depth: int) -> None:
    path = tmp_path / "picture.npy"
    np.save(path, np.ones((2, 3), dtype))
    kept = read_picture(path, float_range=(0, 1))
    assert kept.pixels.dtype.itemsize * 8 == depth


def test_reading_a_picture_and_reading_pixels_agree(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    layer = noise(5, 6, 4)
    write_picture(path, layer[..., :3], alpha=layer[..., 3:])
    for mode in ("rgb", "gray", "channels"):
        for depth in (8, 16):
            kept: Picture = read_picture(path, mode, depth=depth, background="teal")
            np.testing.assert_array_equal(
                kept.pixels, read(path, mode, depth=depth, background="teal")
            )


# TIFF by other programs


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiffs_of_every_layout_are_read_at_full_depth(
    tmp_path: Path, byteorder: Any, planar: bool, compression: Any, tile: Any, dtype: Any
) -> None:
    for channels, photometric in ((2, "minisblack"), (3, "rgb"), (5, "minisblack"), (7, "rgb")):
        path = tmp_path / f"{channels}.tif"
        samples = noise(21, 33, channels, dtype)
        tifffile.imwrite(
            path,
            samples.transpose(2, 0, 1) if planar else samples,
            photometric=photometric,
            planarconfig="separate" if planar else "contig",
            byteorder=byteorder,
            compression=compression,
            predictor=compression == "zlib",
            tile=tile,
            rowsperstrip=None if tile else 5,
        )
        kept = read_picture(path, "channels")
        assert kept.pixels.dtype == dtype
        np.testing.assert_array_equal(kept.pixels, samples)
        assert header(path, "channels") == header(path)
        assert header(path).channels == channels
        if photometric == "rgb":
            np.testing.assert_array_equal(read_picture(path).pixels, samples[..., :3])
        else:
            assert f"{channels} channels" in reason(path)
        assert "label map" in reason(path, "labels")


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("planar", [False, True])
def test_alpha_of_16_bit_tiffs_is_kept(tmp_path: Path, channels: int, planar: bool) -> None:
    path = tmp_path / "layer.tif"
    layer = noise(9, 8, channels, np.uint16)
    tifffile.imwrite(
        path,
        layer.transpose(2, 0, 1) if planar else layer,
        photometric="rgb" if channels == 4 else "minisblack",
        planarconfig="separate" if planar else "contig",
        extrasamples=["unassalpha"],
    )
    kept = read_picture(path)
    assert kept.alpha is not None
    np.testing.assert_array_equal(kept.alpha, layer[..., -1:])
    np.testing.assert_array_equal(kept.pixels, composite(layer, (255, 255, 255)))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_colours_are_what_they_were_before(
    tmp_path: Path, channels: int, dtype: Any
) -> None:
    path = tmp_path / "layer.tif"
    top = np.iinfo(dtype).max
    layer = noise(30, 20, channels, dtype)
    layer[..., -1] |= top // 2 + 1
    layer[0, 0] = 0
    faded = np.rint(layer[..., :-1] * (layer[..., -1:] / top)).astype(dtype)
    tifffile.imwrite(
        path,
        np.concatenate([faded, layer[..., -1:]], axis=2),
        photometric="rgb" if channels == 4 else "minisblack",
        planarconfig="contig",
        extrasamples=["assocalpha"],
    )
    kept = read_picture(path, "channels").pixels.astype(int)
    assert np.abs(kept - layer).max() <= 2  # Pillow, at 8 bits, rounds down
    np.testing.assert_array_equal(kept[..., -1], layer[..., -1])
    shown = read_picture(path)
    assert shown.alpha is not None
    np.testing.assert_array_equal(shown.alpha, layer[..., -1:])
    np.testing.assert_allclose(
        shown.pixels.astype(int), composite(layer, (255, 255, 255)).astype(int), atol=2
    )


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", [3, 5])
def test_float_channels_need_a_range(tmp_path: Path, planar: bool, channels: int) -> None:
    path = tmp_path / "heights.tif"
    unit = np.linspace(0, 1, 12 * channels, dtype=np.float32).reshape(3, 4, channels)
    heights = unit * 8 - 2
    tifffile.imwrite(
        path,
        heights.transpose(2, 0, 1) if planar else heights,
        photometric="rgb" if channels == 3 else "minisblack",
        planarconfig="separate" if planar else "contig",
    )
    assert "float_range" in reason(path, "channels")
    kept = read_picture(path, "channels", float_range=(-2, 6))
    assert kept.pixels.dtype == np.uint16
    assert np.abs(kept.pixels - unit * 65535.0).max() <= 1


def test_alpha_in_floats_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layer.tif"
    layer = np.zeros((3, 4, 4), np.float32)
    tifffile.imwrite(path, layer, photometric="rgb", extrasamples=["unassalpha"])
    assert "alpha in float32" in reason(path, float_range=(0, 1))


def test_16_bit_cmyk_is_converted_with_the_same_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "print.tif"
    inks = noise(9, 8, 4, np.uint16)
    for planar in (False, True):
        monkeypatch.setattr(cmyk, "_files", count())
        tifffile.imwrite(
            path,
            inks.transpose(2, 0, 1) if planar else inks,
            photometric="separated",
            planarconfig="separate" if planar else "contig",
        )
        with pytest.warns(UserWarning, match="CMYK"):
            deep = read(path, depth=16)
        eight = Image.fromarray((inks >> 8).astype(np.uint8), "CMYK").convert("RGB")
        assert np.abs(deep / 257 - np.asarray(eight)).max() <= 2
        np.testing.assert_array_equal(read_picture(path, "channels").pixels, inks)


def test_other_colour_spaces_are_read_as_channels_only(tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    lab = noise(9, 8, 3, np.uint16)
    tifffile.imwrite(path, lab, photometric="cielab")
    assert "CIELAB" in reason(path)
    np.testing.assert_array_equal(read_picture(path, "channels").pixels, lab)


def test_pages_of_many_channels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = noise(8, 9, 10, np.uint8).reshape(2, 8, 9, 5)
    tifffile.imwrite(path, pages, photometric="minisblack", planarconfig="contig")
    assert "2 frames or pages" in reason(path, "channels")


# Compression that tifffile leaves to imagecodecs


def lzw(path: Path, samples: Array, colours: int) -> None:
    """A TIFF packed with LZW by Pillow, as a grey picture of its bytes; its tags say what it is."""
    buffer = io.BytesIO()
    rows = samples.view(np.uint8).reshape(len(samples), -1)
    Image.fromarray(rows).save(buffer, "TIFF", compression="tiff_lzw")
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as tiff:
        (offset,), (length,) = tiff.pages.first.dataoffsets, tiff.pages.first.databytecounts
    packed = buffer.getvalue()[offset : offset + length]
    tifffile.imwrite(
        path,
        np.zeros_like(samples),
        photometric="rgb" if colours == 3 else "minisblack",
        planarconfig="contig",
    )
    end = path.stat().st_size
    path.write_bytes(path.read_bytes() + packed)
    patched(path, COMPRESSION=5, OFFSETS=end, COUNTS=len(packed))


def test_lzw_that_only_pillow_knows_is_read_as_far_as_pillow_goes(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    colours = noise(9, 8, 3, np.uint16)
    lzw(path, colours, colours=3)
    np.testing.assert_array_equal(read(path), colours >> 8)
    for depth in (None, 16):
        said = reason(path, depth=depth)
        assert "LZW" in said
        assert "deflate" in said
        assert "imagecodecs" in said
    assert header(path).size == (9, 8)


def test_lzw_of_many_channels_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "bands.tif"
    lzw(path, noise(9, 8, 5), colours=1)
    for depth in (8, 16, None):
        said = reason(path, "channels", depth=depth)
        assert "compressed with LZW" in said
        assert "save it uncompressed or with deflate, or pip install imagecodecs" in said
    assert header(path, "channels").channels == 5


# Damage


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("part", [0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_tiff_of_many_channels_is_found(
    tmp_path: Path, compression: Any, part: float
) -> None:
    path = tmp_path / "bands.tif"
    samples = noise(64, 64, 5, np.uint16)
    tifffile.imwrite(
        path, samples, photometric="minisblack", planarconfig="contig", compression=compression
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert reason(path, "channels")


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_that_claims_to_be_huge_is_refused_undecoded(
    tmp_path: Path, compression: Any
) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(
        path,
        noise(16, 16, 5),
        photometric="minisblack",
        planarconfig="contig",
        compression=compression,
    )
    patched(path, WIDTH=100_000, HEIGHT=100_000)
    assert "bomb" in reason(path, "channels")
    with pytest.raises(DataError, match="bomb"):
        header(path)


def test_channels_beyond_four_count_towards_a_decompression_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bands.tif"
    write_picture(path, noise(100, 100, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    assert "bomb" in reason(path, "channels")
    write_picture(path, noise(100, 100, 10))
    assert read(path, "channels").shape == (100, 100, 10)


@pytest.mark.parametrize("compression", ["zlib", "lzma"])
def test_a_small_picture_that_inflates_to_a_large_one_is_refused(
    tmp_path: Path, compression: Any
) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(
        path,
        np.zeros((4000, 400, 5), np.uint8),
        photometric="minisblack",
        planarconfig="contig",
        compression=compression,
        rowsperstrip=4000,
    )
    patched(path, HEIGHT=10)
    assert "inflates" in reason(path, "channels")


@pytest.mark.parametrize("tag", ["OFFSETS", "COUNTS"])
@pytest.mark.parametrize("value", [0, 10**9])
def test_a_strip_that_isnt_there_is_never_filled_in(tmp_path: Path, tag: str, value: int) -> None:
    path = tmp_path / "bands.tif"
    write_picture(path, noise(16, 16, 5))
    patched(path, **{tag: value})
    assert "truncated" in reason(path, "channels")


def test_channels_whose_bits_nobody_knows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bands.tif"
    write_picture(path, noise(16, 16, 5))
    tag, damaged = struct.pack("<HHI", BITS, 3, 5), struct.pack("<HHI", BITS, 3, 2**31)
    assert tag in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(tag, damaged))
    assert "bits" in reason(path, "channels")


def test_neither_library_prints_anything_of_its_own(tmp_path: Path) -> None:
    write_picture(tmp_path / "bands.tif", noise(16, 16, 7))
    write_picture(tmp_path / "damaged.tif", noise(16, 16, 7))
    patched(tmp_path / "damaged.tif", HEIGHT=200)
    program = """
import sys
from pathlib import Path
from i2i.images import read
from i2i.errors import DataError
read(Path(sys.argv[1], "bands.tif"), "channels")
try:
    read(Path(sys.argv[1], "damaged.tif"), "channels")
except DataError as error:
    sys.exit(3)
"""
    run = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (3, "", "")


def encoded(samples: Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **options)
    return buffer.getvalue()


VALID = [
    encoded(noise(9, 8, 5), photometric="minisblack", planarconfig="contig"),
    encoded(noise(9, 8, 5), photometric="minisblack", planarconfig="contig", compression="zlib"),
    encoded(noise(5, 9, 8), photometric="rgb", planarconfig="separate", byteorder=">"),
    encoded(noise(9, 8, 4, np.uint16), photometric="rgb", extrasamples=["assocalpha"]),
    encoded(noise(40, 30, 3, np.uint16), photometric="rgb", tile=(16, 16), compression="zlib"),
    encoded(
        noise(9, 8, 5), photometric="rgb", resolution=(300, 300), iccprofile=SRGB, bigtiff=True
    ),
]


@given(st.sampled_from(VALID), st.sampled_from(["rgb", "channels", "labels"]), st.data())
@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.filterwarnings("ignore")
def test_damage_of_any_kind_is_a_data_error_or_goes_unseen(
    tmp_path: Path, content: bytes, mode: Mode, data: st.DataObject
) -> None:
    damaged = bytearray(content)
    tags = min(len(content), 400)  # most of the damage goes where it does harm
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, tags - 1) | st.integers(0, len(content) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.tif"
    path.write_bytes(damaged[: data.draw(st.just(len(damaged)) | st.integers(1, len(damaged)))])
    for reading in (lambda: header(path, mode).channels, lambda: read(path, mode).shape[2]):
        try:
            assert reading() > 0
        except DataError as error:
            assert str(path) in str(error)  # noqa: PT017
