"""Checks of metrics: order, merging, bootstrap samples, and the direction of better."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from i2i.datasets.synthetic import Synthetic
from i2i.errors import DataError
from i2i.testing.check import Check
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import Subject

SIZE = (192, 192)
"""Large enough for metrics that look at several scales."""

FEWEST = 4
"""Pairs that a metric is computed on, unless it needs more."""

CLOSE = 1e-5
"""Largest relative difference of values that must be equal."""


def value_is_finite(subject: Subject) -> None:
    """The value of plausible images is a finite number, and its direction is known."""
    metric = subject.build()
    subject.require(
        isinstance(getattr(metric, "higher_is_better", None), bool),
        "needs the attribute higher_is_better, True or False",
    )
    value = _value(subject, metric, _batches(metric))
    subject.require(math.isfinite(value), f"is {value} for plausible images")


def equal_images_are_better(subject: Subject) -> None:
    """Outputs that equal their targets have a better value than others."""
    best, other = subject.build(), subject.build()
    batches = _batches(other)
    equal = [{**batch, "output": batch["target"]} for batch in batches]
    perfect, imperfect = _value(subject, best, equal), _value(subject, other, batches)
    subject.require(
        perfect > imperfect if other.higher_is_better else perfect < imperfect,
        f"is not better for equal images ({perfect:.4g}) than for others ({imperfect:.4g}), as "
        f"higher_is_better is {other.higher_is_better}",
    )


def merging_equals_one_pass(subject: Subject) -> None:
    """Metrics of two parts of unequal size, merged, have the value of one metric of all images."""
    whole, first, second = (subject.build() for _ in range(3))
    if not hasattr(whole, "merge"):
        raise CheckSkipped("it has no merge()")
    batches = _batches(whole)
    expected = _value(subject, whole, batches)
    for metric, part in ((first, batches[:1]), (second, batches[1:])):
        _update(metric, part)
    first.merge(second)
    _require_equal(subject, _value(subject, first, ()), expected, "after merging two parts")


def size_of_batches_is_irrelevant(subject: Subject) -> None:
    """Images one by one have the value of the same images in two batches of unequal size."""
    single, several = subject.build(), subject.build()
    batches = _batches(single)
    most = {role: torch.cat([batch[role] for batch in batches[1:]]) for role in batches[0]}
    expected = _value(subject, single, batches)
    _require_equal(
        subject, _value(subject, several, [batches[0], most]), expected, "in larger batches"
    )


def order_is_irrelevant(subject: Subject) -> None:
    """The order of the images doesn't matter, unless the metric draws random subsets of them."""
    forwards, backwards = subject.build(), subject.build()
    if "seed" in _settings(forwards):
        raise CheckSkipped("its settings have a seed, so its value may depend on the order")
    batches = _batches(forwards)
    expected = _value(subject, forwards, batches)
    _require_equal(
        subject, _value(subject, backwards, batches[::-1]), expected, "in the reverse order"
    )


def bootstrap_equals_compute(subject: Subject) -> None:
    """The bootstrap sample that has every pair once has the value of `compute`."""
    metric = subject.build()
    if "seed" in _settings(metric):
        raise CheckSkipped("its settings have a seed, so samples may be estimated in another way")
    batches = _batches(metric)
    expected = _value(subject, metric, batches)
    number = sum(len(batch["output"]) for batch in batches)
    values = metric.bootstrap(torch.arange(number)[None]) if hasattr(metric, "bootstrap") else None
    if values is None:
        raise CheckSkipped("it has no bootstrap samples")
    subject.require(
        tuple(values.shape) == (1,), f"returns {tuple(values.shape)} from bootstrap(), not (B,)"
    )
    _require_equal(subject, float(values[0]), expected, "of bootstrap() with every pair once")


def _batches(metric: Any) -> list[Mapping[str, Tensor]]:
    """Batches of one pair each: facades from label maps, whose outputs mix two targets."""
    number = max(FEWEST, getattr(metric, "needs", 1))
    pairs = [
        [torch.from_numpy(image).permute(2, 0, 1)[None] for image in pair.load(SIZE)]
        for pair in Synthetic(train=number + 1).pairs("train")
    ]
    return [
        {"input": input, "target": target, "output": (0.6 * target + 0.4 * other).to(torch.uint8)}
        for (input, target), (_, other) in pairwise(pairs)
    ]


def _update(metric: Any, batches: Sequence[Mapping[str, Tensor]]) -> None:
    for batch in batches:
        metric.update(*(batch[role] for role in getattr(metric, "sees", ("output", "target"))))


def _value(subject: Subject, metric: Any, batches: Sequence[Mapping[str, Tensor]]) -> float:
    """Update a metric with the batches and compute it.

    Raises:
        CheckSkipped: If the metric refuses such images, with its reason.
    """
    try:
        _update(metric, batches)
        value: object = metric.compute()
    except DataError as error:
        raise CheckSkipped(f"it refuses the kit's images: {error.problems[0]}") from error
    subject.require(
        isinstance(value, int | float),
        f"returns {type(value).__name__} from compute(): return a float",
    )
    assert isinstance(value, int | float)
    return value


def _settings(metric: Any) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = metric.settings() if hasattr(metric, "settings") else {}
    return settings


def _require_equal(subject: Subject, value: float, expected: float, when: str) -> None:
    subject.require(
        math.isclose(value, expected, rel_tol=CLOSE, abs_tol=CLOSE),
        f"is {value:.6g} {when}, but {expected:.6g} for the same images in batches of one",
    )


CHECKS = (
    Check("finite value", value_is_finite),
    Check("better for equal images", equal_images_are_better),
    Check("merging", merging_equals_one_pass),
    Check("size of batches", size_of_batches_is_irrelevant),
    Check("order", order_is_irrelevant),
    Check("bootstrap samples", bootstrap_equals_compute),
)
