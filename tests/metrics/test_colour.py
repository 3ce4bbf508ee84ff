"""lab_histogram: an independent tool's colours, closed forms, and what may not change the value."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.colour import AXES, LabHistogram, lab


def noise(seed: int, n: int = 4) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 12, 10), generator=source, dtype=torch.uint8)


def plain(*colour: int, n: int = 2) -> Tensor:
    """Images of one colour."""
    return torch.tensor(colour, dtype=torch.uint8).reshape(1, 3, 1, 1).expand(n, 3, 8, 8)


def measured(output: Tensor, target: Tensor) -> LabHistogram:
    metric = LabHistogram()
    metric.update(output, target)
    return metric


def test_colours_are_scikit_images() -> None:
    images = noise(0)
    expected = rgb2lab(images.permute(0, 2, 3, 1).numpy())
    assert np.abs(lab(images).permute(0, 2, 3, 1).numpy() - expected).max() < 0.02


def test_no_colour_is_beyond_the_bins() -> None:
    corners = torch.cartesian_prod(*[torch.tensor([0, 255], dtype=torch.uint8)] * 3)
    found = lab(corners[:, :, None, None])
    for i, axis in enumerate(AXES.values()):
        assert axis.low <= found[:, i].min()
        assert found[:, i].max() <= axis.high + 1e-4


def test_white_and_gray_have_no_colour() -> None:
    white, gray = lab(plain(255, 255, 255)), lab(plain(119, 119, 119))
    assert white[0, :, 0, 0].tolist() == pytest.approx([100, 0, 0], abs=1e-3)
    assert gray[0, 1:, 0, 0].tolist() == pytest.approx([0, 0], abs=1e-3)


def test_equal_colours_in_other_places_are_perfect() -> None:
    images = noise(1)
    elsewhere = images.flatten(2)[:, :, torch.randperm(120)].reshape(images.shape).flip(0)
    assert measured(elsewhere, images).compute() == pytest.approx(1)


def test_gray_against_colour_shares_lightness_alone() -> None:
    red, gray = plain(255, 0, 0), plain(127, 127, 127)
    details = measured(gray, red).details()
    assert lab(red)[0, 0, 0, 0] // 2 == lab(gray)[0, 0, 0, 0] // 2, "of one bin of lightness"
    assert (details["L"], details["a"], details["b"]) == pytest.approx((1, 0, 0))
    assert measured(gray, red).compute() == pytest.approx(1 / 3)


def test_half_the_pixels_in_common_are_half_an_intersection() -> None:
    black, white = plain(0, 0, 0), plain(255, 255, 255)
    both = torch.cat([black[:1], white[:1]])
    assert measured(both, black).details()["L"] == pytest.approx(0.5)


def test_gray_outputs_share_what_is_gray_in_the_targets() -> None:
    gray = plain(119, 119, 119, n=1)
    targets = torch.cat(
        [gray, plain(40, 40, 40, n=1), plain(255, 0, 0, n=1), plain(0, 0, 255, n=1)]
    )
    details = measured(gray, targets[:1]).details()
    assert (details["L"], details["a"], details["b"]) == (1, 1, 1)
    details = measured(gray.expand(4, -1, -1, -1), targets).details()
    assert (details["L"], details["a"], details["b"]) == (0.25, 0.5, 0.5)


def test_every_pixel_weighs_the_same_however_large_its_image_is() -> None:
    red, black = plain(255, 0, 0), plain(0, 0, 0)
    metric = measured(red.repeat(1, 1, 3, 1), red.repeat(1, 1, 3, 1))
    metric.update(black, red)
    assert [metric.details()[name] for name in AXES] == [0.75, 0.75, 0.75]


def test_gray_lies_in_the_middle_bin_and_black_and_white_in_the_outer_ones() -> None:
    for value, place in ((0, 0), (255, -1)):
        shares = measured(plain(value, value, value), noise(0)).details()["histograms"]["outputs"]
        assert shares["L"][place] == 1
        assert shares["a"].index(1) == shares["b"].index(1) == 55


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_it_is_numpy_s_histograms(seed: int) -> None:
    output, target = noise(seed), noise(seed + 1)
    details, pixels = measured(output, target).details(), 4 * 12 * 10
    for i, (name, axis) in enumerate(AXES.items()):
        one, other = (
            np.histogram(lab(images)[:, i].numpy(), axis.bins, (axis.low, axis.high))[0]
            for images in (output, target)
        )
        # A colour within rounding of an edge may fall to either side of it.
        near = 2 / pixels
        assert details[name] == pytest.approx(np.minimum(one, other).sum() / pixels, abs=near)
        found = details["histograms"]["outputs"][name]
        np.testing.assert_allclose(found, one / pixels, atol=near)


def test_its_details_draw_the_paper_s_figure() -> None:
    histograms = measured(noise(2), noise(3)).details()["histograms"]
    for name, axis in AXES.items():
        for role in ("outputs", "targets"):
            assert len(histograms[role][name]) == axis.bins
            assert sum(histograms[role][name]) == pytest.approx(1, abs=1e-4)
    assert histograms["ranges"]["L"] == [0, 100]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_value_is_symmetric_and_in_range_however_batched(seed: int, first: int) -> None:
    output, target = noise(seed), noise(seed + 1) // 2
    whole = measured(output, target).compute()
    assert 0 <= whole <= 1
    assert measured(target, output).compute() == pytest.approx(whole)
    merged = measured(output[:first], target[:first])
    merged.merge(measured(output[first:], target[first:]))
    assert merged.compute() == whole


def test_sixteen_bits_are_on_the_same_scale() -> None:
    output, target = noise(4), noise(5)
    deep = [(images.to(torch.int32) * 257).to(torch.uint16) for images in (output, target)]
    assert measured(*deep).compute() == pytest.approx(measured(output, target).compute(), abs=1e-3)


def test_images_without_three_channels_are_refused_and_not_counted() -> None:
    metric = LabHistogram()
    with pytest.raises(DataError, match="outputs have 1 channels instead of 3"):
        metric.update(noise(0)[:, :1], noise(0))
    with pytest.raises(DataError, match="targets have 4 channels instead of 3"):
        metric.update(noise(0), torch.zeros(4, 4, 12, 10, dtype=torch.uint8))
    assert metric.details() == {"pairs": 0}


def test_without_images_there_is_no_value() -> None:
    with pytest.raises(DataError, match="at least 1 image"):
        LabHistogram().compute()
