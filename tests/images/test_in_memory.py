"""Images in memory give what their files give, or are refused as their files are."""

import copy
import io
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from i2i.errors import DataError
from i2i.images import Mode, cmyk, pixels_of, read, read_picture, tiff, write_picture
from i2i.images.pixels import to_depth
from i2i.images.spec import ImageSpec

Array = NDArray[Any]


def noise(height: int, width: int, channels: int, dtype: Any = np.uint8) -> Array:
    rng = np.random.default_rng(height * width * channels)
    return rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels)).astype(dtype)


def of_mode(mode: str) -> Image.Image:
    image = Image.fromarray(noise(7, 5, 4), "RGBA")
    if mode == "I;16":
        return Image.fromarray(noise(7, 5, 1, np.uint16)[..., 0])
    if mode == "LA":
        return image.convert("RGBA").convert("LA")
    return image if mode == "RGBA" else image.convert("RGB").convert(mode)


def outcome(image: Any, mode: Mode, **options: Any) -> Array | None:
    """The pixels, or None where they are refused; with one line that doesn't fail to say why."""
    try:
        if isinstance(image, Path):
            return read_picture(image, mode, **options).pixels
        return pixels_of(image, mode, **options)
    except DataError as error:
        (problem,) = error.problems
        assert len(problem) > len("the image: ")
        assert "\n" not in problem
        return None


def assert_same(one: Array | None, other: Array | None) -> None:
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def reason(image: Any, mode: Mode = "rgb", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        pixels_of(image, mode, **options)
    (problem,) = caught.value.problems
    assert problem.startswith("the image: ")
    return problem


@pytest.fixture(autouse=True)
def warned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmyk, "_files", count(1))


# What Pillow opens


@pytest.mark.parametrize("wanted", ["rgb", "gray", "channels", "labels"])
@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, ".tif") for mode in ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F"]]
    + [(mode, ".png") for mode in ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"]]
    + [(mode, ".jpg") for mode in ["L", "RGB", "CMYK"]]
    + [("P", ".gif"), ("L", ".bmp"), ("I;16", ".pgm"), ("RGB", ".webp"), ("RGBA", ".webp")],
)
def test_what_is_opened_or_loaded_is_what_the_file_is(
    tmp_path: Path, mode: str, suffix: str, wanted: Mode
) -> None:
    path = tmp_path / f"picture{suffix}"
    image = of_mode(mode)
    image.save(path)
    for float_range in (None, (0.0, 255.0)):
        expected = outcome(path, wanted, background="teal", float_range=float_range)
        with Image.open(path) as opened:
            for _ in range(2):  # asking changes nothing
                found = outcome(opened, wanted, background="teal", float_range=float_range)
                assert_same(found, expected)
            opened.load()
            found = outcome(opened, wanted, background="teal", float_range=float_range)
            assert_same(found, expected)
            if suffix not in (".jpg", ".pgm"):  # whose pixels or depth differ from what was saved
                found = outcome(opened.copy(), wanted, background="teal", float_range=float_range)
                assert_same(found, expected)
        if float_range is None and expected is not None:
            eight = expected if wanted == "labels" else to_depth(expected, 8)
            np.testing.assert_array_equal(eight, read(path, wanted, background="teal"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("wanted", ["rgb", "channels", "labels"])
def test_exif_orientation_is_applied_once(
    tmp_path: Path, orientation: int, suffix: str, wanted: Mode
) -> None:
    path = tmp_path / f"turned{suffix}"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = of_mode("L" if wanted == "labels" else "RGB")
    image.save(path, exif=exif)
    expected = outcome(path, wanted)
    assert_same(outcome(Image.open(path), wanted), expected)
    # Not from the path: of a grey TIFF on its side Pillow 12 scrambles the pixels that it maps.
    loaded = Image.open(io.BytesIO(path.read_bytes()))
    loaded.load()
    assert_same(outcome(loaded, wanted), expected)
    if (suffix, wanted) == (".jpg", "labels"):  # a copy forgets that it was compressed with loss
        assert expected is None
        return
    assert_same(outcome(copy.copy(loaded), wanted), expected)
    assert_same(outcome(ImageOps.exif_transpose(loaded), wanted), expected)
    if expected is not None:
        assert expected.shape[:2] == ((5, 7) if orientation > 4 else (7, 5))


def test_a_phones_photo_with_its_preview_is_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "phone.mpo"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    preview = of_mode("RGB").resize((3, 4))
    of_mode("RGB").save(path, save_all=True, append_images=[preview], exif=exif)
    expected = read(path)
    assert expected.shape == (5, 7, 3)
    image = Image.open(path)
    assert image.format == "MPO"
    np.testing.assert_array_equal(pixels_of(image), expected)
    image.load()
    np.testing.assert_array_equal(pixels_of(image), expected)


def test_an_orientation_that_was_taken_out_is_not_applied(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    of_mode("RGB").save(path, exif=exif)
    image = Image.open(path)
    del image.getexif()[ExifTags.Base.Orientation]
    assert pixels_of(image).shape == (7, 5, 3)


def test_a_draft_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(noise(64, 32, 3)).save(path)
    image = Image.open(path)
    image.draft("RGB", (16, 32))
    assert pixels_of(image).shape == (32, 16, 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("alpha", [False, True])
def test_16_bit_colour_is_whole_until_pillow_loads_it(
    tmp_path: Path, suffix: str, alpha: bool
) -> None:
    path = tmp_path / f"deep{suffix}"
    samples = noise(7, 5, 4, np.uint16)
    write_picture(path, samples[..., :3], alpha=samples[..., 3:] if alpha else None)
    for wanted in ("rgb", "gray", "channels"):
        expected = outcome(path, wanted)
        assert expected is not None
        image = Image.open(path)
        for _ in range(2):
            assert_same(outcome(image, wanted), expected)
        image.load()
        high = pixels_of(image, wanted)
        assert high.dtype == np.uint8
        assert np.abs(high * 257.0 - expected).max() <= 3 * 257
    buffer = io.BytesIO(path.read_bytes())
    assert_same(outcome(Image.open(buffer), "rgb"), outcome(path, "rgb"))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_labels_of_few_bits_are_not_spread(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "labels.png"
    image = Image.fromarray(noise(7, 5, 1)[..., 0] % (2**bits)).convert("P")
    image.putpalette([value for i in range(2**bits) for value in (i * 10, 0, 0)])
    image.save(path, bits=bits)
    for _ in range(2):
        assert_same(outcome(Image.open(path), "labels"), outcome(path, "labels"))
    assert pixels_of(Image.open(path), "labels").max() < 2**bits


def test_16_bit_greys_of_both_byte_orders_are_taken() -> None:
    deep = noise(7, 5, 1, np.uint16)
    little = Image.fromarray(deep[..., 0])
    big = Image.frombytes("I;16B", (5, 7), deep.astype(">u2").tobytes())
    for image in (little, big):
        for wanted in ("gray", "channels"):
            found = pixels_of(image, wanted)
            assert found.dtype == np.uint16
            np.testing.assert_array_equal(found, deep)


@pytest.mark.parametrize("mode", ["I", "F"])
@pytest.mark.parametrize("wanted", ["rgb", "gray", "channels"])
def test_wide_values_need_a_range(mode: str, wanted: Mode) -> None:
    image = Image.fromarray(np.array([[0, 1], [32760, 65520]], np.float32)).convert(mode)
    assert "without a declared range" in reason(image, wanted)
    assert "without a declared range" in reason(np.asarray(image), wanted)
    found = pixels_of(image, wanted, float_range=(0, 65520))
    assert found[..., 0].tolist() == [[0, 1], [32768, 65535]]
    np.testing.assert_array_equal(
        pixels_of(np.asarray(image), wanted, float_range=(0, 65520)), found
    )


def test_values_that_are_not_finite_are_refused() -> None:
    assert "not finite" in reason(np.full((2, 2), np.nan, np.float32), float_range=(0, 1))


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".png"])
def test_several_frames_are_refused_and_a_copy_of_one_is_taken(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"several{suffix}"
    frames = [Image.fromarray(noise(7, 5, 1)[..., 0] // n) for n in (1, 2, 3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        assert "frames or pages" in reason(image)
        image.seek(1)
        assert "frames or pages" in reason(image)
        assert image.tell() == 1
        assert pixels_of(image.copy()).shape == (7, 5, 3)
        assert_same(outcome(image, "channels"), outcome(path, "channels"))
        assert image.tell() == 1


def test_cmyk_is_converted_with_the_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmyk, "_files", count())
    image = of_mode("CMYK")
    with pytest.warns(UserWarning, match="CMYK"):
        found = pixels_of(image)
    np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))


def test_16_bit_tiffs_are_read_as_their_files_are(tmp_path: Path) -> None:
    path = tmp_path / "cmyk.tif"
    tifffile.imwrite(path, noise(7, 5, 4, np.uint16), photometric="separated")
    assert_same(outcome(Image.open(path), "rgb"), outcome(path, "rgb"))


def test_a_tiff_that_only_pillow_can_decode_is_read_by_its_high_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "packed.tif"
    deep = noise(7, 5, 3, np.uint16)
    tifffile.imwrite(path, deep, photometric="rgb", compression="zlib")

    def undecodable(*_: object) -> None:
        raise tiff.Undecodable("needs imagecodecs")

    monkeypatch.setattr(tiff, "decode", undecodable)
    found = pixels_of(Image.open(path))
    np.testing.assert_array_equal(found, read(path))
    np.testing.assert_array_equal(found, deep >> 8)


def test_a_truncated_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(noise(40, 50, 3)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    assert reason(Image.open(path))


# Arrays


@given(
    array=st.sampled_from(
        [np.bool_, np.uint8, np.uint16, ">u2", np.int16, np.int64, ">i4", np.float32, ">f8"]
    ).flatmap(
        lambda dtype: arrays(
            dtype,
            st.one_of(
                st.tuples(*[st.integers(1, 4)] * 2),
                st.tuples(*[st.integers(1, 4)] * 2, st.sampled_from([1, 3, 5])),
            ),
        )
    ),
    mode=st.sampled_from(["rgb", "gray", "channels", "labels"]),
    float_range=st.sampled_from([None, (0.0, 300.0)]),
)
@settings(deadline=None, max_examples=300)
def test_an_array_is_what_its_npy_is(
    tmp_path_factory: pytest.TempPathFactory, array: Array, mode: Mode, float_range: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "array.npy"
    np.save(path, array)
    before = array.copy()
    found = outcome(array, mode, float_range=float_range)
    with np.errstate(all="ignore"):
        assert_same(found, outcome(path, mode, float_range=float_range))
    np.testing.assert_array_equal(array, before)
    if found is not None:
        assert found.dtype in (np.uint8, np.uint16)
        assert found.dtype.isnative


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2"])
@pytest.mark.parametrize("mode", ["rgb", "gray", "channels"])
def test_an_array_is_what_its_file_is(
    tmp_path: Path, channels: int, dtype: Any, mode: Mode
) -> None:
    samples = noise(7, 5, channels, np.dtype(dtype).newbyteorder("="))
    alpha = samples[..., -1:] if channels in (2, 4) else None
    path = tmp_path / "picture.png"
    write_picture(path, samples[..., : channels - (alpha is not None)], alpha=alpha)
    found = pixels_of(samples.astype(dtype), mode, "teal")
    assert_same(found, outcome(path, mode, background="teal"))


@pytest.mark.parametrize(
    ("image", "mode", "said"),
    [
        (np.zeros((4, 4, 5), np.uint8), "rgb", "5 channels"),
        (np.zeros((4, 4, 4), np.float32), "rgb", "float32"),
        (np.zeros((0, 4, 3), np.uint8), "rgb", r"(0, 4, 3)"),
        (np.zeros(4, np.uint8), "rgb", "(4,)"),
        (np.zeros((1, 3, 4, 4), np.uint8), "rgb", "(1, 3, 4, 4)"),
        (np.zeros((4, 4), np.complex64), "rgb", "complex64"),
        (object(), "rgb", "()"),
        (None, "rgb", "()"),
        ([[1, 2], [3]], "rgb", "a list is no image"),
        (np.zeros((4, 4, 3), np.uint8), "labels", "3 channels, not a label map"),
        (np.zeros((4, 4, 4), np.uint8), "labels", "4 channels, not a label map"),
        (np.zeros((4, 4), np.float32), "labels", "not a label map"),
        (np.full((4, 4), 256), "labels", "beyond 0 to 255"),
        (np.full((4, 4), -1), "labels", "beyond 0 to 255"),
        (Image.new("RGB", (4, 4)), "labels", "is RGB, not a label map"),
        (Image.new("RGBA", (4, 4)), "labels", "is RGBA, not a label map"),
        (Image.new("LA", (4, 4)), "labels", "is LA, not a label map"),
        (Image.new("I", (4, 4)), "labels", "is I, not a label map"),
        (Image.new("F", (4, 4)), "labels", "is F, not a label map"),
    ],
)
def test_what_is_no_image_of_that_mode_is_refused(image: Any, mode: Mode, said: str) -> None:
    assert said in reason(image, mode)


def test_floats_with_a_range_have_no_alpha() -> None:
    assert "4 channels" in reason(np.zeros((4, 4, 4), np.float32), float_range=(0, 1))


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, ">u2", np.int64])
def test_labels_are_whole_numbers_of_any_type(dtype: Any) -> None:
    labels = np.array([[0, 1], [1, 0]])
    for array in (labels.astype(dtype), labels.astype(dtype)[..., None]):
        found = pixels_of(array, "labels")
        assert (found.dtype, found[..., 0].tolist()) == (np.uint8, labels.tolist())


def test_two_level_images_are_labels_0_and_1_and_otherwise_black_and_white() -> None:
    image = Image.fromarray(np.array([[False, True]]))
    for given_ in (image, np.asarray(image)):
        assert pixels_of(given_, "labels").ravel().tolist() == [0, 1]
        assert pixels_of(given_, "gray").ravel().tolist() == [0, 255]


def test_a_palettes_indices_are_labels_and_its_colours_are_colours() -> None:
    image = Image.fromarray(np.array([[2, 0, 1]], np.uint8), "L").convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    assert pixels_of(image, "labels").ravel().tolist() == [2, 0, 1]
    assert pixels_of(image)[0, 0].tolist() == [70, 80, 90]


# What labels are spread over


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 3), (2, 2, 4)])
def test_only_one_channel_is_spread_over_classes(shape: tuple[int, ...]) -> None:
    side = ImageSpec(channels=3, mode="labels", classes=3)
    with pytest.raises(DataError, match="not label indices"):
        side.spread(np.zeros(shape, np.uint8), Path("a.png"))
    assert side.spread(np.zeros((2, 2, 1), np.uint8), Path("a.png")).shape == (2, 2, 3)
