"""The kernel distance: its closed form, torch-fidelity's number, and what chance does to it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from i2i.metrics.kernel import polynomial_mmd, subset_mmd


def normal(seed: int, *shape: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=source)


@pytest.fixture(scope="module")
def features() -> tuple[Tensor, Tensor]:
    """Two sets of different sizes, about as large as Inception's features are."""
    return 0.4 * normal(0, 30, 64).abs(), 0.5 * normal(1, 40, 64).abs()


@pytest.fixture
def peer() -> Callable[..., dict[str, float]]:
    """torch-fidelity's KID of features."""
    measure: Callable[..., dict[str, float]] = pytest.importorskip(
        "torch_fidelity.metric_kid"
    ).kid_features_to_metric

    def of(one: Tensor, other: Tensor, subsets: int, size: int, seed: int) -> dict[str, float]:
        options: dict[str, Any] = {"kid_subsets": subsets, "kid_subset_size": size}
        return measure(one, other, **options, rng_seed=seed, verbose=False)

    return of


def closed_form(one: Tensor, other: Tensor) -> float:
    """Gretton et al., JMLR 2012, equation 3, term by term."""
    first, second = (
        [[float(value) for value in row] for row in rows.tolist()] for rows in (one, other)
    )

    def kernel(x: list[float], y: list[float]) -> float:
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(rows: list[list[float]]) -> float:
        n = len(rows)
        pairs = [kernel(rows[i], rows[j]) for i in range(n) for j in range(n) if i != j]
        return sum(pairs) / (n * (n - 1))

    across = sum(kernel(x, y) for x in first for y in second) / (len(first) * len(second))
    return within(first) + within(second) - 2 * across


def test_the_distance_is_the_unbiased_closed_form(features: tuple[Tensor, Tensor]) -> None:
    assert polynomial_mmd(*features) == pytest.approx(closed_form(*features), rel=1e-6)


def test_the_order_of_the_sets_and_of_rows_changes_nothing(
    features: tuple[Tensor, Tensor],
) -> None:
    one, other = features
    expected = polynomial_mmd(one, other)
    assert polynomial_mmd(other, one) == pytest.approx(expected, rel=1e-9)
    assert polynomial_mmd(one.flip(0), other[torch.randperm(40)]) == pytest.approx(
        expected, rel=1e-9
    )


def test_one_subset_of_all_rows_is_the_distance_itself(features: tuple[Tensor, Tensor]) -> None:
    one, other = features[0], features[1][:30]
    estimate = subset_mmd(one, other, subsets=1, size=30, seed=5)
    assert estimate.mean == pytest.approx(polynomial_mmd(one, other), rel=1e-9)
    assert estimate.mean == pytest.approx(closed_form(one, other), rel=1e-6)
    assert estimate.standard_deviation == 0


@pytest.mark.parametrize(("subsets", "size"), [(1, 30), (20, 30), (100, 10), (50, 2)])
@pytest.mark.parametrize("seed", [0, 2020])
def test_subsets_are_torch_fidelity_s_for_the_same_seed(
    features: tuple[Tensor, Tensor],
    peer: Callable[..., dict[str, float]],
    subsets: int,
    size: int,
    seed: int,
) -> None:
    one, other = (rows.double() for rows in features)
    expected = peer(one, other, subsets, size, seed)
    estimate = subset_mmd(one, other, subsets=subsets, size=size, seed=seed)
    assert estimate.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-9)
    assert estimate.standard_deviation == pytest.approx(
        expected["kernel_inception_distance_std"], rel=1e-6, abs=1e-12
    )


def test_float32_features_are_within_a_hundred_thousandth_of_torch_fidelity(
    features: tuple[Tensor, Tensor], peer: Callable[..., dict[str, float]]
) -> None:
    expected = peer(*features, subsets=50, size=20, seed=1)["kernel_inception_distance_mean"]
    estimate = subset_mmd(*features, subsets=50, size=20, seed=1)
    assert estimate.mean == pytest.approx(expected, rel=1e-5)


def test_samples_of_one_distribution_have_a_mean_distance_of_zero() -> None:
    draws = [
        polynomial_mmd(normal(2 * seed, 24, 32), normal(2 * seed + 1, 16, 32))
        for seed in range(600)
    ]
    error = np.std(draws) / len(draws) ** 0.5
    assert abs(np.mean(draws)) < 4 * error
    # A biased estimate, with the diagonals in, is off by far more than chance.
    assert 40 * error < (2**3 - 1) * (1 / 24 + 1 / 16)
    assert min(draws) < 0 < max(draws)


def test_the_standard_error_is_how_far_means_stray() -> None:
    # Subsets of large sets hardly overlap, so that they are as good as independent.
    one, other = normal(3, 4000, 8), normal(4, 4000, 8) + 0.3
    estimates = [subset_mmd(one, other, subsets=25, size=20, seed=seed) for seed in range(60)]
    strayed = np.std([estimate.mean for estimate in estimates])
    told = np.mean([estimate.standard_error for estimate in estimates])
    assert told == pytest.approx(strayed, rel=0.25)


def test_the_seed_decides_which_rows_are_drawn(features: tuple[Tensor, Tensor]) -> None:
    first, again, other = (
        subset_mmd(*features, subsets=10, size=12, seed=seed) for seed in (7, 7, 8)
    )
    assert first == again
    assert first.mean != other.mean


def test_drawing_leaves_everybody_else_s_random_numbers_alone(
    features: tuple[Tensor, Tensor],
) -> None:
    np.random.seed(0)
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    subset_mmd(*features, subsets=3, size=12, seed=7)
    assert np.array_equal(np.random.get_state()[1], before)
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_one_subset_tells_no_standard_error(features: tuple[Tensor, Tensor]) -> None:
    assert np.isnan(subset_mmd(*features, subsets=1, size=12, seed=0).standard_error)
