"""The paired bootstrap, against closed forms."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from i2i.studies.orderings import Comparison, Finding, paired_bootstrap
from i2i.studies.schema import Ordering

numbers = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40)


def test_of_normal_differences_it_is_what_the_normal_distribution_says() -> None:
    """Means of n pairs whose differences are normal: t of their mean is the closed form."""
    random = np.random.default_rng(0)
    pairs, samples = 400, 20000
    hard = random.normal(0, 10, pairs)  # common to both, so that only pairing sees the difference
    one, other = hard + random.normal(0.1, 1, pairs), hard + random.normal(0, 1, pairs)
    drawn = random.integers(0, pairs, (samples, pairs))
    confidence, (low, high) = paired_bootstrap(
        [one[drawn].mean(1)], [other[drawn].mean(1)], higher_is_better=True
    )
    difference = one - other
    error = difference.std() / math.sqrt(pairs)
    assert confidence == pytest.approx(stats.norm.cdf(difference.mean() / error), abs=0.01)
    assert low == pytest.approx(difference.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(difference.mean() + 1.96 * error, abs=0.1 * error)


def test_seeds_are_averaged_within_each_bootstrap_sample() -> None:
    one = [np.array([1.0, 5.0, 3.0]), np.array([3.0, 1.0, 3.0])]
    other = [np.array([1.0, 4.0, 3.0])]
    confidence, interval = paired_bootstrap(one, other, higher_is_better=True)
    assert confidence == pytest.approx((1 + 0 + 0.5) / 3)  # +1, -1 and a tie
    assert interval == pytest.approx(tuple(np.percentile([1, -1, 0], (2.5, 97.5))))


def test_fewer_bootstrap_samples_are_the_first_of_more_and_those_without_a_value_left_out() -> None:
    one, other = np.array([1.0, np.nan, 3.0, 9.0, 9.0]), np.array([0.0, 0.0, 4.0])
    assert paired_bootstrap([one], [other], higher_is_better=True)[0] == 0.5


@given(numbers, numbers)
def test_turning_the_metric_or_the_pair_round_turns_the_confidence_round(
    one: list[float], other: list[float]
) -> None:
    first, second = [np.array(one)], [np.array(other)]
    up, (low, high) = paired_bootstrap(first, second, higher_is_better=True)
    assert paired_bootstrap(first, second, higher_is_better=False)[0] == pytest.approx(1 - up)
    back, (other_low, other_high) = paired_bootstrap(second, first, higher_is_better=True)
    assert back == pytest.approx(1 - up)
    assert (other_low, other_high) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("confidence", "verdict"),
    [
        (1.0, "holds"),
        (0.95, "holds"),
        (0.949, "undecided"),
        (0.5, "undecided"),
        (0.05, "doesn't hold"),
        (None, "unknown"),
    ],
)
def test_95_percent_are_needed_to_say_anything(confidence: Any, verdict: str) -> None:
    assert Comparison("a", "b", 0.1, confidence).verdict == verdict


@pytest.mark.parametrize(
    ("confidences", "verdict"),
    [
        ([0.99, 0.97], "holds"),
        ([0.99, 0.5], "undecided"),
        ([0.5, 0.01], "doesn't hold"),
        ([0.99, None], "unknown"),
        ([None, 0.01], "doesn't hold"),
    ],
)
def test_a_claim_holds_if_all_of_it_does(confidences: list[Any], verdict: str) -> None:
    ordering = Ordering(claim="c", metric="l1", better=("a",), worse=("b",))
    comparisons = tuple(Comparison("a", "b", 0.1, each) for each in confidences)
    assert Finding(ordering, comparisons).verdict == verdict
