"""Tests of the claims that variants are better than others, by the paired bootstrap.

Efron and Tibshirani 1993, chapters 6 and 13. Every run computes each metric on the same bootstrap
samples of the test pairs, so the difference of two variants is taken within each sample. The
confidence covers the choice of test images. It doesn't cover the variation between trainings:
another seed gives other weights, and the spread over seeds shows how much that matters.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from i2i.studies.fingerprints import unlike
from i2i.studies.record import Record
from i2i.studies.schema import Ordering, Study
from i2i.studies.tables import Runs, value_of

Verdict = Literal["holds", "doesn't hold", "undecided", "unknown"]

SURE = 0.95

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """One variant against another.

    Args:
        better: The variant that the claim says is better.
        worse: The other variant.
        difference: The mean of `better` minus the mean of `worse`; None if one is missing.
        confidence: The share of bootstrap samples in which `better` is better; ties count half.
            None without bootstrap samples.
        interval: The interval that holds the difference in 95% of the bootstrap samples.
        problem: Why there is no confidence; None if there is one.
    """

    better: str
    worse: str
    difference: float | None = None
    confidence: float | None = None
    interval: tuple[float, float] | None = None
    problem: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict at 95% confidence."""
        if self.confidence is None:
            return "unknown"
        if self.confidence >= SURE:
            return "holds"
        return "doesn't hold" if self.confidence <= 1 - SURE else "undecided"

    def to_json(self) -> dict[str, Any]:
        """Return all fields and the verdict."""
        return {
            "better": self.better,
            "worse": self.worse,
            "difference": self.difference,
            "confidence": self.confidence,
            "interval": list(self.interval) if self.interval else None,
            "verdict": self.verdict,
            **({"problem": self.problem} if self.problem else {}),
        }


@dataclass(frozen=True)
class Finding:
    """The result of testing one claim.

    Args:
        ordering: The claim.
        comparisons: Each of its better variants against each of its worse variants.
    """

    ordering: Ordering
    comparisons: tuple[Comparison, ...]

    @property
    def verdict(self) -> Verdict:
        """`holds` if all comparisons hold; `doesn't hold` if one of them doesn't."""
        verdicts = [comparison.verdict for comparison in self.comparisons]
        for verdict in ("doesn't hold", "unknown", "undecided"):
            if verdict in verdicts:
                return verdict
        return "holds"

    def to_json(self) -> dict[str, Any]:
        """Return all fields and the verdict."""
        return {
            "claim": self.ordering.claim,
            "metric": self.ordering.metric,
            "paper": self.ordering.paper,
            "verdict": self.verdict,
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }


def findings(study: Study, runs: Runs, upwards: Mapping[str, bool]) -> list[Finding]:
    """Test every claim of a study.

    Args:
        study: The study.
        runs: Its records.
        upwards: Whether higher is better, by metric.
    """
    return [
        Finding(
            ordering,
            tuple(
                _compared(study, runs, ordering.metric, pair, upwards=upwards[ordering.metric])
                for pair in ((b, w) for b in ordering.better for w in ordering.worse)
            ),
        )
        for ordering in study.orderings
    ]


def paired_bootstrap(
    better: Sequence[Values], worse: Sequence[Values], *, higher_is_better: bool
) -> tuple[float, tuple[float, float]] | None:
    """Compute the confidence that one variant is better, and the interval of the difference.

    Args:
        better: For each seed of the first variant, the metric's values `(B,)` on the bootstrap
            samples. All runs use the same samples.
        worse: The same for the second variant. Seeds are averaged within each bootstrap sample.
        higher_is_better: Whether higher values of the metric are better.

    Returns:
        The share of bootstrap samples in which the first variant is better, where ties count half;
        and the 2.5 and 97.5 percentiles of first minus second. Bootstrap samples with a missing
        value (NaN) are skipped; None if that are all.
    """
    # Runs may differ in B: a shorter list holds the first samples of a longer one.
    count = min(len(values) for values in (*better, *worse))
    sides = [np.mean([values[:count] for values in side], axis=0) for side in (better, worse)]
    difference = sides[0] - sides[1]
    difference = difference[~np.isnan(difference)]
    if not len(difference):
        return None
    towards = difference if higher_is_better else -difference
    confidence = float(np.mean((towards > 0) + 0.5 * (towards == 0)))
    low, high = np.percentile(difference, (2.5, 97.5))
    return confidence, (float(low), float(high))


def _compared(
    study: Study, runs: Runs, metric: str, pair: tuple[str, str], *, upwards: bool
) -> Comparison:
    sides = [list(runs[name].values()) for name in pair]
    values = [[value_of(study, record, metric) for record in side] for side in sides]
    known = [[value for value in side if value is not None] for side in values]
    missing = [name for name, side in zip(pair, known, strict=True) if not side]
    if missing:
        return Comparison(*pair, problem=f"{' and '.join(missing)} not measured")
    endless = [
        name for name, side in zip(pair, known, strict=True) if not all(map(math.isfinite, side))
    ]
    if endless:
        return Comparison(*pair, problem=f"{' and '.join(endless)} not finite")
    difference = mean(known[0]) - mean(known[1])
    text = study.metric_texts[metric]
    if apart := unlike([*sides[0], *sides[1]], text, despite=("versions",)):
        return Comparison(*pair, difference, problem=f"fingerprints differ: {'; '.join(apart)}")
    better, worse = ([_bootstrap_values(record, text) for record in side] for side in sides)
    if not all(len(values) for values in (*better, *worse)):
        return Comparison(*pair, difference, problem="no bootstrap samples: set eval.bootstrap")
    if (found := paired_bootstrap(better, worse, higher_is_better=upwards)) is None:
        return Comparison(*pair, difference, problem="no bootstrap sample has a value")
    return Comparison(*pair, difference, *found)


def _bootstrap_values(record: Record, text: str) -> Values:
    """Return a metric's values on bootstrap samples, NaN for missing ones; empty without any."""
    values = record.evaluation["details"].get(text, {}).get("bootstrap")
    return np.array(values or [], dtype=np.float64)
