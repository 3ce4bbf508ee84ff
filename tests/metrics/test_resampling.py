"""Values on resamples are what a metric says of just these images."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from i2i.metrics.base import Metric
from i2i.metrics.colour import LabHistogram
from i2i.metrics.frechet import Moments, frechet_distance, resampled_distances
from i2i.metrics.kernel import polynomial_mmd, resampled_mmd
from i2i.metrics.pixel import L1, PSNR, SSIM
from i2i.metrics.resampling import described, resamples


def images(seed: int, n: int = 6) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=source, dtype=torch.uint8)


def features(seed: int, n: int = 12, d: int = 40) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def distance(one: Tensor, other: Tensor) -> float:
    gathered = []
    for rows in (one, other):
        moments = Moments()
        moments.update(rows)
        gathered.append(moments.gaussian())
    return frechet_distance(*gathered)


def test_resamples_are_the_same_wherever_and_fewer_are_the_first_of_more() -> None:
    drawn = resamples(106, 50)
    assert torch.equal(drawn[:10], resamples(106, 10))
    assert drawn.shape == (50, 106)
    assert (drawn.min(), drawn.max()) == (0, 105)
    assert 0.60 < np.mean([len(row.unique()) / 106 for row in drawn]) < 0.67, "1 - 1/e of them"


@pytest.mark.parametrize("metric", [L1, PSNR, SSIM, LabHistogram])
def test_a_metric_of_pairs_says_of_a_resample_what_it_says_of_its_images(
    metric: Callable[[], Metric],
) -> None:
    output, target, drawn = images(0), images(1) // 2, resamples(6, 5)
    whole = metric()
    whole.update(output, target)
    found = whole.resampled(drawn)
    assert found is not None
    for value, rows in zip(found.tolist(), drawn, strict=True):
        alone = metric()
        alone.update(output[rows], target[rows])
        assert value == pytest.approx(alone.compute(), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_distances_of_resamples_are_those_of_the_drawn_rows(seed: int) -> None:
    one, other, drawn = features(seed), 2 * features(seed + 1) + 0.3, resamples(12, 4)
    for value, rows in zip(resampled_distances(one, other, drawn), drawn, strict=True):
        assert value.item() == pytest.approx(distance(one[rows], other[rows]), rel=1e-6)


def test_all_rows_once_are_the_plain_kernel_distance() -> None:
    one, other = features(0), 1.5 * features(1)
    once = torch.randperm(12)[None]
    assert resampled_mmd(one, other, once).item() == pytest.approx(polynomial_mmd(one, other))


def test_copies_within_a_resample_don_t_bias_the_kernel_distance() -> None:
    """Sets of one distribution are 0 apart on average, drawn with copies as well."""
    drawn = resamples(12, 20)
    means = [resampled_mmd(features(i), features(1000 + i), drawn).mean() for i in range(300)]
    spread = torch.stack(means).std() / len(means) ** 0.5
    assert abs(torch.stack(means).mean()) < 4 * spread


def test_a_resample_of_one_image_has_no_kernel_distance_and_is_left_out() -> None:
    values = resampled_mmd(features(0), features(1), torch.tensor([[3] * 12, list(range(12))]))
    assert values.isnan().tolist() == [True, False]
    assert described(values)["interval"] == pytest.approx([values[1].item()] * 2, rel=1e-6)


def test_the_interval_is_the_percentiles() -> None:
    found = described(torch.arange(1001, dtype=torch.float64))
    assert found["interval"] == [25, 975]
    assert found["resampled"][:3] == [0, 1, 2]
