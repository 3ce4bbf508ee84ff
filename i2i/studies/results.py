"""The results of a study so far, for its HTML page, Markdown and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from i2i.recipe.assemble import higher_is_better
from i2i.studies.fingerprints import fingerprint, unlike
from i2i.studies.orderings import Finding, findings
from i2i.studies.plan import Job
from i2i.studies.record import Record
from i2i.studies.sameness import what_counts
from i2i.studies.schema import Study
from i2i.studies.tables import Column, Runs, columns_of, runs_of
from i2i.system.hashing import json_sha256


@dataclass(frozen=True)
class Results:
    """The results of a study.

    Args:
        study: The study.
        jobs: All its runs.
        runs: The existing records, by variant and seed.
        columns: The columns of the table.
        findings: The tested claims.
        prints: Each metric's fingerprint.
        differing: Differences between the runs' fingerprints, as text.
    """

    study: Study
    jobs: Sequence[Job]
    runs: Runs
    columns: Sequence[Column]
    findings: Sequence[Finding]
    prints: Mapping[str, Mapping[str, Any]]
    differing: Sequence[str]

    @property
    def records(self) -> list[Record]:
        """The existing records, each once, in the order of the runs."""
        return [job.record for job in self.jobs if job.record is not None]

    @property
    def missing(self) -> list[str]:
        """The names of runs without a record."""
        return [job.name for job in self.jobs if job.record is None]

    @property
    def first(self) -> dict[str, Record]:
        """The record of the first seed of every variant that has records."""
        return {name: next(iter(seeds.values())) for name, seeds in self.runs.items() if seeds}

    def changes(self) -> dict[str, list[str]]:
        """List the recipe keys in which each variant differs from the first."""
        counting = {name: what_counts(record.recipe) for name, record in self.first.items()}
        base = next(iter(counting.values()), {})
        return {
            name: [
                f"{key} = {json.dumps(keys.get(key))}"
                for key in dict.fromkeys([*keys, *base])
                if keys.get(key) != base.get(key) and key != "seed"
            ]
            for name, keys in counting.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Return the content of `study.json`; all that varies between repetitions is in `ran`."""
        names = dict.fromkeys([*self.study.metric_texts, *self.study.shown])
        columns = {column.name: column for column in columns_of(self.study, self.runs, list(names))}
        return {
            "study": self.study.name,
            "variants": {
                variant: {
                    name: cell.to_json()
                    for name, column in columns.items()
                    if (cell := column.cells[variant]).seeds
                }
                for variant, seeds in self.runs.items()
                if seeds
            },
            "orderings": [finding.to_json() for finding in self.findings],
            "fingerprint": {
                metric: {"sha256": json_sha256(found), **found}
                for metric, found in self.prints.items()
            },
            "differing": list(self.differing),
            "missing": self.missing,
            "ran": [_ran(job) for job in self.jobs if job.record is not None],
        }


def results_of(study: Study, jobs: Sequence[Job]) -> Results:
    """Collect the results of a study from the records of its runs."""
    runs = runs_of(study, jobs)
    records = [job.record for job in jobs if job.record is not None]
    upwards = {name: higher_is_better(text) for name, text in study.metric_texts.items()}
    prints = {
        name: found
        for name, text in study.metric_texts.items()
        if (found := next(filter(None, (fingerprint(r, text) for r in records)), None))
    }
    differing = {
        f"{name}: {words}"
        for name, text in study.metric_texts.items()
        for words in unlike(records, text)
    }
    return Results(
        study,
        jobs,
        runs,
        columns_of(study, runs, study.shown),
        findings(study, runs, upwards),
        prints,
        sorted(differing),
    )


def _ran(job: Job) -> dict[str, Any]:
    """Describe how a run was made: updates, time, hardware, versions and data."""
    assert job.record is not None
    document = job.record.document
    environment = document["environment"]
    return {
        "variants": list(job.variants),
        "seed": job.recipe.seed,
        "updates": document["updates"],
        "seconds": document["seconds"],
        "device": environment["device"],
        "machine": environment["machine"],
        "versions": environment["versions"],
        "git": environment["git"],
        "data": environment["data"]["fingerprint"],
    }
