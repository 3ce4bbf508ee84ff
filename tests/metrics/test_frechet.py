"""The Fréchet distance and the moments it is taken of: closed forms, scipy, numpy."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from i2i.metrics.frechet import Gaussian, Moments, frechet_distance

seeds = st.integers(0, 2**32 - 1)


def normal(seed: int, *shape: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=source, dtype=torch.float64)


def rotation(seed: int, d: int) -> Tensor:
    return torch.linalg.qr(normal(seed, d, d)).Q


def gathered(batches: Sequence[Tensor]) -> Moments:
    moments = Moments()
    for rows in batches:
        moments.update(rows)
    return moments


def fitted(rows: Tensor) -> Gaussian:
    return gathered([rows]).gaussian()


def distance(one: Tensor, other: Tensor) -> float:
    return frechet_distance(fitted(one), fitted(other))


def covariance(gaussian: Gaussian) -> Tensor:
    if gaussian.covariance is not None:
        return gaussian.covariance
    assert gaussian.factor is not None
    return gaussian.factor.T @ gaussian.factor


def off_by(value: Tensor, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest expected value."""
    return float(np.abs(value.numpy() - expected).max() / np.abs(expected).max())


# --- the distance


def test_rotated_gaussians_with_common_axes_are_as_far_apart_as_their_closed_form() -> None:
    d = 64
    axes, shift = rotation(0, d), normal(1, d)
    one, other = normal(2, d).exp(), normal(3, d).exp()
    expected = (one.sqrt() - other.sqrt()).square().sum() + shift.square().sum()
    mean = normal(4, d)
    measured = frechet_distance(
        Gaussian(mean, covariance=axes * one @ axes.T),
        Gaussian(mean + axes @ shift, covariance=axes * other @ axes.T),
    )
    assert measured == pytest.approx(expected.item(), rel=1e-10)


def dense(mean: Tensor, factor: Tensor) -> Gaussian:
    return Gaussian(mean, covariance=factor.T @ factor)


def factored(mean: Tensor, factor: Tensor) -> Gaussian:
    return Gaussian(mean, factor=factor)


@pytest.mark.parametrize("d", [2, 64, 512])
def test_every_route_gives_scipy_s_matrix_root(d: int) -> None:
    means = normal(5, 2, d)
    factors = torch.linalg.qr(normal(6, 2, 2 * d, d) / (2 * d) ** 0.5).R
    one, other = (f.numpy().T @ f.numpy() for f in factors)
    overlap = pytest.importorskip("scipy.linalg").sqrtm(one @ other).trace().real
    shift = (means[0] - means[1]).square().sum().item()
    expected = shift + one.trace() + other.trace() - 2 * overlap
    for first, second in itertools.product((dense, factored), repeat=2):
        measured = frechet_distance(first(means[0], factors[0]), second(means[1], factors[1]))
        assert measured == pytest.approx(expected, rel=1e-8), (first, second)


@pytest.mark.parametrize("second", [dense, factored])
@pytest.mark.parametrize("first", [dense, factored])
def test_a_shift_of_equal_shapes_without_full_rank_is_told_exactly(
    first: Callable[..., Gaussian], second: Callable[..., Gaussian]
) -> None:
    factor, mean, shift = normal(7, 24, 64), normal(8, 64), 1e-3 * normal(9, 64)
    measured = frechet_distance(first(mean, factor), second(mean + shift, factor))
    assert measured == pytest.approx(shift.square().sum().item(), rel=1e-4)


@pytest.fixture(scope="module")
def few() -> tuple[Tensor, Tensor]:
    """Fewer rows than dimensions, as few images have in Inception's features."""
    return normal(10, 64, 1024), 1.2 * normal(11, 64, 1024) + 0.1


def test_few_rows_are_at_no_distance_from_themselves(few: tuple[Tensor, Tensor]) -> None:
    for rows in few:
        assert 0 <= distance(rows, rows) <= 1e-6
        assert 0 <= distance(rows, rows[torch.randperm(64)]) <= 1e-6


def test_few_rows_are_as_far_apart_both_ways(few: tuple[Tensor, Tensor]) -> None:
    one, other = few
    assert distance(one, other) == pytest.approx(distance(other, one), rel=1e-6)


def test_few_rows_are_as_far_apart_as_the_eigenvalues_of_the_product_say(
    few: tuple[Tensor, Tensor],
) -> None:
    one, other = (rows.numpy() for rows in few)
    covariances = [np.cov(rows, rowvar=False) for rows in (one, other)]
    eigenvalues = np.linalg.eigvals(covariances[0] @ covariances[1]).astype(complex)
    expected = (
        np.square(one.mean(0) - other.mean(0)).sum()
        + sum(c.trace() for c in covariances)
        - 2 * np.sqrt(eigenvalues).real.sum()
    )
    assert distance(*few) == pytest.approx(expected, rel=1e-4)


def test_few_rows_against_many_are_as_far_apart_both_ways() -> None:
    few, many = normal(12, 16, 48), normal(13, 400, 48) + 0.3
    assert fitted(few).factor is not None
    assert fitted(many).covariance is not None
    expected = frechet_distance(
        Gaussian(few.mean(0), covariance=torch.cov(few.T)),
        Gaussian(many.mean(0), covariance=torch.cov(many.T)),
    )
    assert distance(few, many) == pytest.approx(expected, rel=1e-6)
    assert distance(many, few) == pytest.approx(expected, rel=1e-6)


def test_many_rows_that_lie_in_a_plane_are_at_no_distance_from_themselves() -> None:
    # Features that are always 0, as ReLU makes them, leave covariances without full rank.
    rows = normal(14, 300, 8) @ normal(15, 8, 256)
    assert fitted(rows).covariance is not None
    assert 0 <= distance(rows, rows) <= 1e-6 * fitted(rows).variance.item()


def test_many_rows_that_lie_in_planes_are_as_far_apart_as_in_the_planes_own_coordinates() -> None:
    inside = normal(16, 300, 8), 1.5 * normal(17, 300, 8) + 0.2
    plane = rotation(18, 256)[:8]
    expected = distance(*inside)
    assert distance(inside[0] @ plane, inside[1] @ plane) == pytest.approx(expected, rel=1e-4)


def test_rows_in_float32_are_measured_in_float64() -> None:
    one, other = normal(19, 40, 16).float(), normal(20, 40, 16).float()
    assert distance(one, other) == distance(one.double(), other.double())


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_no_number_is_never_told_as_a_small_distance(wrong: float) -> None:
    round_ = torch.eye(4, dtype=torch.float64)
    one = Gaussian(torch.full((4,), wrong, dtype=torch.float64), covariance=round_)
    assert not np.isfinite(frechet_distance(one, Gaussian(normal(30, 4), covariance=round_)))


@given(seed=seeds, d=st.integers(1, 12), n=st.integers(2, 24), m=st.integers(2, 24))
@settings(deadline=None)
def test_no_distance_is_below_zero_and_none_depends_on_the_order(
    seed: int, d: int, n: int, m: int
) -> None:
    one, other = normal(seed, n, d), normal(seed + 1, m, d)
    measured = distance(one, other)
    assert measured >= 0
    assert distance(other, one) == pytest.approx(measured, rel=1e-6, abs=1e-7)
    assert 0 <= distance(one, one) <= 1e-6


@given(seed=seeds, d=st.integers(1, 12), n=st.integers(2, 24), m=st.integers(2, 24))
@settings(deadline=None)
def test_rotating_and_moving_both_sets_changes_nothing(seed: int, d: int, n: int, m: int) -> None:
    one, other = normal(seed, n, d), 2 * normal(seed + 1, m, d)
    turn, shift = rotation(seed + 2, d), 3 * normal(seed + 3, d)
    moved = distance(one @ turn + shift, other @ turn + shift)
    assert moved == pytest.approx(distance(one, other), rel=1e-6, abs=1e-6)


@given(seed=seeds, d=st.integers(1, 8), scale=st.floats(0.01, 100))
@settings(deadline=None)
def test_scaling_both_sets_scales_the_distance_by_the_square(
    seed: int, d: int, scale: float
) -> None:
    one, other = normal(seed, 12, d), normal(seed + 1, 12, d) + 1
    expected = scale**2 * distance(one, other)
    assert distance(scale * one, scale * other) == pytest.approx(expected, rel=1e-6)


# --- the moments


def assert_moments_are_numpy_s(moments: Moments, rows: Tensor, tolerance: float) -> None:
    gaussian = moments.gaussian()
    assert moments.n == len(rows)
    assert off_by(gaussian.mean, rows.double().numpy().mean(0)) < tolerance
    expected = np.cov(rows.double().numpy(), rowvar=False)
    assert off_by(covariance(gaussian), expected) < tolerance
    assert gaussian.variance.item() == pytest.approx(expected.trace(), rel=tolerance)


@pytest.mark.parametrize("batch", [1, 7, 100])
@pytest.mark.parametrize("d", [16, 99, 100, 101, 300])
def test_moments_are_numpy_s_however_rows_are_batched(d: int, batch: int) -> None:
    rows = normal(21, 100, d) * normal(22, d).exp() + normal(23, d)
    assert_moments_are_numpy_s(gathered(rows.split(batch)), rows, 1e-10)


@pytest.mark.parametrize("batch", [1, 7, 5000])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_moments_hold_where_the_mean_is_a_million_deviations(
    batch: int, dtype: torch.dtype
) -> None:
    rows = (1e3 + 1e-3 * normal(24, 5000, 8)).to(dtype)
    assert_moments_are_numpy_s(gathered(rows.split(batch)), rows, 1e-6)


def merged(shards: Sequence[Moments]) -> Moments:
    whole = Moments()
    for shard in shards:
        whole.merge(shard)
    return whole


@pytest.mark.parametrize("sizes", [(3, 5, 8), (3, 40, 50), (25, 4, 60), (10, 10, 10), (1, 0, 99)])
def test_shards_merge_in_any_order_to_the_moments_of_the_whole(sizes: tuple[int, ...]) -> None:
    # 20 dimensions: some shards have fewer rows and keep them, some don't, some only merged.
    rows = normal(25, sum(sizes), 20) + 5
    parts = rows.split(list(sizes))
    for order in itertools.permutations(range(3)):
        shards = [gathered(parts[i].split(7)) for i in order]
        assert_moments_are_numpy_s(merged(shards), rows, 1e-10)
        (first, *others) = shards
        for other in others:
            first.merge(other)
        assert_moments_are_numpy_s(first, rows, 1e-10)


def test_shards_merge_where_the_mean_is_a_million_deviations() -> None:
    rows = 1e3 + 1e-3 * normal(26, 4001, 8)
    shards = [gathered([part]) for part in rows.split([3, 1999, 1, 1998])]
    assert_moments_are_numpy_s(merged(shards), rows, 1e-6)


def test_what_is_merged_in_stays_as_it_was() -> None:
    for n in (5, 50):
        rows = normal(27, n, 20)
        shard = gathered([rows])
        whole = gathered([normal(28, 30, 20)])
        whole.merge(shard)
        whole.update(normal(29, 30, 20))
        assert_moments_are_numpy_s(shard, rows, 1e-10)
        empty = merged([shard])
        empty.update(normal(29, 30, 20))
        assert_moments_are_numpy_s(shard, rows, 1e-10)


@given(
    seed=seeds,
    d=st.integers(2, 10),
    n=st.integers(2, 30),
    batch=st.integers(1, 30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
@settings(deadline=None)
def test_merging_at_any_place_equals_the_whole(
    seed: int, d: int, n: int, batch: int, cuts: list[int]
) -> None:
    rows = normal(seed, n, d) + 10
    edges = [0, *sorted(min(cut, n) for cut in cuts), n]
    parts = [rows[a:b] for a, b in itertools.pairwise(edges)]
    whole = merged([gathered(part.split(batch)) for part in parts])
    assert_moments_are_numpy_s(whole, rows, 1e-10)
    assert frechet_distance(whole.gaussian(), fitted(rows)) <= 1e-6
