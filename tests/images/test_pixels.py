"""Arithmetic on decoded pixels, against exact fractions and Pillow's own."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from i2i.images.pixels import (
    Depth,
    as_gray,
    as_rgb,
    composite,
    swaps_sides,
    to_depth,
    upright,
)

Array = NDArray[Any]

ALL_8, ALL_16 = np.arange(256, dtype=np.uint8), np.arange(65536, dtype=np.uint16)


def image(values: Any, dtype: Any) -> Array:
    return np.asarray(values, dtype).reshape(1, -1, 1)


# Depth


def test_16_bits_become_8_as_the_nearest_of_them() -> None:
    scaled = to_depth(image(ALL_16, np.uint16), 8).ravel().tolist()
    assert scaled == [round(Fraction(value, 257)) for value in range(65536)]


def test_8_bits_become_16_and_come_back() -> None:
    deep = to_depth(image(ALL_8, np.uint8), 16)
    assert deep.ravel().tolist() == [value * 257 for value in range(256)]
    np.testing.assert_array_equal(to_depth(deep, 8).ravel(), ALL_8)


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_what_has_the_depth_already_is_left_alone(depth: Depth, dtype: Any) -> None:
    array = image([0, 7, 255], dtype)
    assert to_depth(array, depth) is array


@pytest.mark.parametrize(("depth", "top"), [(8, 255), (16, 65535)])
def test_black_and_white_of_one_bit_fill_the_range(depth: Depth, top: int) -> None:
    assert to_depth(image([False, True], np.bool_), depth).ravel().tolist() == [0, top]


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.int32, np.int64, np.uint32]
)
def test_wider_values_need_a_declared_range(dtype: Any) -> None:
    with pytest.raises(ValueError, match="float_range"):
        to_depth(image([0, 1], dtype), 8)
    assert to_depth(image([0, 1], dtype), 8, (0, 1)).ravel().tolist() == [0, 255]


@given(
    st.floats(-1e3, 1e3),
    st.floats(1e-2, 1e3),
    st.floats(-0.5, 1.5),
    st.sampled_from([(8, 255), (16, 65535)]),
)
def test_floats_are_scaled_from_black_to_white_and_cut_off_beyond(
    black: float, span: float, place: float, depth: tuple[Depth, int]
) -> None:
    bits, top = depth
    value = black + place * span
    (scaled,) = to_depth(image([value], np.float64), bits, (black, black + span)).ravel()
    assert abs(int(scaled) - min(max(place, 0), 1) * top) <= 0.5 + 1e-4


def test_a_range_may_run_from_white_to_black() -> None:
    scaled = to_depth(image([0, 0.25, 1], np.float32), 8, (1, 0))
    assert scaled.ravel().tolist() == [255, 191, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        to_depth(image([0, value], np.float32), 8, (0, 1))


# Transparency


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_compositing_is_exact_to_the_nearest_value(colour: int, alpha: int, behind: int) -> None:
    pixel = np.array([[[colour, 0, 255, alpha]]], np.uint8)
    mixed = composite(pixel, (behind, behind, behind)).ravel().tolist()
    for shown, top in zip(mixed, (colour, 0, 255), strict=True):
        exact = Fraction(top * alpha + behind * (255 - alpha), 255)
        assert abs(shown - exact) <= Fraction(1, 2)


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 255))
def test_compositing_keeps_full_depth(grey: int, alpha: int, behind: int) -> None:
    pixel = np.array([[[grey, alpha]]], np.uint16)
    mixed = composite(pixel, (behind, behind, behind))
    assert mixed.dtype == np.uint16
    exact = Fraction(grey * alpha + behind * 257 * (65535 - alpha), 65535)
    assert abs(int(mixed[0, 0, 0]) - exact) <= Fraction(1, 2) + Fraction(1, 10**6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_hidden_leaves_no_trace_and_what_is_solid_is_kept(dtype: Any) -> None:
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(0)
    colours = rng.integers(0, top + 1, (5, 7, 3)).astype(dtype)
    hidden = np.dstack([colours, np.zeros((5, 7), dtype)])
    solid = np.dstack([colours, np.full((5, 7), top, dtype)])
    assert (composite(hidden, (255, 0, 51)) == np.array([top, 0, top // 5])).all()
    np.testing.assert_array_equal(composite(solid, (255, 0, 51)), colours)


# Colour and grey


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_becomes_colour_and_comes_back_unchanged(dtype: Any) -> None:
    values = image(np.arange(np.iinfo(dtype).max + 1), dtype)
    colour = as_rgb(values)
    assert colour.shape[2] == 3
    np.testing.assert_array_equal(as_gray(colour), values)
    assert as_rgb(colour) is colour
    assert as_gray(values) is values


def test_grey_weighs_colours_as_itu_r_601_does() -> None:
    primaries = np.array([[[65535, 0, 0], [0, 65535, 0], [0, 0, 65535]]], np.uint16)
    weights = [Fraction(299, 1000), Fraction(587, 1000), Fraction(114, 1000)]
    assert as_gray(primaries).ravel().tolist() == [round(65535 * weight) for weight in weights]


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_agrees_with_pillows_own(orientation: int) -> None:
    values = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    picture = Image.fromarray(values)
    picture.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(picture)
    np.testing.assert_array_equal(upright(values, orientation), np.asarray(turned))
    assert swaps_sides(orientation) == (turned.size == (2, 3))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_means_nothing_turns_nothing(orientation: int) -> None:
    values = np.arange(6, dtype=np.uint16).reshape(2, 3, 1)
    np.testing.assert_array_equal(upright(values, orientation), values)
    assert not swaps_sides(orientation)
