"""The results table of a study: each variant's values over its seeds, and the best of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean, stdev
from typing import Any

from i2i.evaluation.results import digits, value_in
from i2i.recipe.assemble import higher_is_better
from i2i.studies.plan import Job
from i2i.studies.record import Record
from i2i.studies.schema import Study

Runs = Mapping[str, Mapping[int, Record]]
"""The existing records of every variant, by seed."""


DIGITS = ((100, 1), (10, 2), (0.2, 3))
"""`(least, digits)`: decimals for columns whose largest value is at least `least`."""


@dataclass(frozen=True)
class Cell:
    """A variant's value in a column.

    Args:
        seeds: The value of each seed.
        best: Whether no other variant has a better mean; never if a mean is not finite.
        paper: The paper's value.
    """

    seeds: Mapping[int, float]
    best: bool = False
    paper: float | None = None

    @property
    def mean(self) -> float | None:
        """The mean over the seeds; None without seeds."""
        return fmean(self.seeds.values()) if self.seeds else None

    @property
    def spread(self) -> float | None:
        """The sample standard deviation over the seeds; None with fewer than two finite ones."""
        finite = all(map(isfinite, self.seeds.values()))
        return stdev(self.seeds.values()) if len(self.seeds) > 1 and finite else None

    def to_json(self) -> dict[str, Any]:
        """Return the mean, the spread and the value of every seed."""
        seeds = {str(seed): value for seed, value in self.seeds.items()}
        return {"mean": self.mean, "spread": self.spread, "seeds": seeds}


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Args:
        name: A metric, or one of its details, such as `lab_histogram.a`.
        higher_is_better: Whether higher values are better.
        cells: The cells by variant.
        ground_truth: The cell of the targets themselves; None if there is none.
    """

    name: str
    higher_is_better: bool
    cells: Mapping[str, Cell]
    ground_truth: Cell | None

    @property
    def arrow(self) -> str:
        """An arrow in the direction of better values."""
        return "↑" if self.higher_is_better else "↓"

    def shown(self, value: float | None) -> str:
        """Format a value; the column's largest value decides the number of decimals."""
        if value is None:
            return "–"
        if not isfinite(value):
            return digits(value)
        cells = [*self.cells.values(), *([self.ground_truth] if self.ground_truth else [])]
        means = (cell.mean for cell in cells if cell.mean is not None)
        largest = max((abs(mean) for mean in means if isfinite(mean)), default=0.0)
        decimals = next((n for least, n in DIGITS if largest >= least), 4)
        return f"{value:.{decimals}f}"


def runs_of(study: Study, jobs: Sequence[Job]) -> dict[str, dict[int, Record]]:
    """Return the existing records by variant and seed."""
    return {
        variant.name: {
            job.recipe.seed: job.record
            for job in jobs
            if variant.name in job.variants and job.record is not None
        }
        for variant in study.variants
    }


def columns_of(study: Study, runs: Runs, names: Sequence[str]) -> list[Column]:
    """Build columns with the values of all variants and the best marked."""
    return [_column(study, runs, name) for name in names]


def value_of(study: Study, record: Record, column: str) -> float | None:
    """Return a run's value in a column, also if it is infinite or NaN; None if it is missing."""
    metric, detail = study.column(column)
    details = record.evaluation["details"].get(study.metric_texts[metric], {})
    return value_in(details, detail or "value")


def _column(study: Study, runs: Runs, name: str) -> Column:
    metric, _ = study.column(name)
    upwards = higher_is_better(study.metric_texts[metric])
    cells = {
        variant.name: Cell(_values(study, runs[variant.name], name), paper=variant.paper.get(name))
        for variant in study.variants
    }
    means = {key: cell.mean for key, cell in cells.items() if cell.mean is not None}
    top = (max if upwards else min)(means.values(), default=None)
    apart = len(set(means.values())) > 1 and all(map(isfinite, means.values()))
    cells = {
        key: Cell(cell.seeds, apart and cell.mean == top, cell.paper) for key, cell in cells.items()
    }
    return Column(name, upwards, cells, _ground_truth(study, runs, name))


def _values(study: Study, records: Mapping[int, Record], column: str) -> dict[int, float]:
    found = {seed: value_of(study, record, column) for seed, record in records.items()}
    return {seed: value for seed, value in found.items() if value is not None}


def _ground_truth(study: Study, runs: Runs, name: str) -> Cell | None:
    """Return the value of the targets; equally measured runs agree on it, so any run will do."""
    if study.ground_truth is None:
        return None
    detail, paper = study.ground_truth.details.get(name), study.ground_truth.paper.get(name)
    if detail is None and paper is None:
        return None
    metric, _ = study.column(name)
    records = [record for by_seed in runs.values() for record in by_seed.values() if detail]
    values = (value_of(study, record, f"{metric}.{detail}") for record in records)
    value = next((value for value in values if value is not None), None)
    return Cell({} if value is None else {0: value}, paper=paper)
