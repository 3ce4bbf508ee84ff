"""The schema of study files."""

import re
from collections import Counter
from functools import cached_property
from typing import Annotated, Any

from annotated_types import Interval, Len
from pydantic import Field

from i2i.plugins.build import Strict

Seed = Annotated[int, Interval(ge=0, lt=2**63)]
Seeds = Annotated[tuple[Seed, ...], Len(1)]
Name = Annotated[str, Len(1)]
Numbers = dict[str, float]
"""Values by column."""


class Variant(Strict):
    """A variant of the base recipe."""

    name: Name
    """The variant's name in the tables; use the paper's name if it has one."""

    summary: str = ""
    """A one-line description."""

    seeds: Seeds | None = None
    """The variant's own seeds; default: the study's."""

    set: dict[str, Any] = Field(default_factory=dict)
    """The recipe keys that the variant changes. Tables are merged; a table with another `type`
    replaces the old one completely, and so do lists and single values."""

    paper: Numbers = Field(default_factory=dict)
    """The paper's values for this variant, by column."""

    @property
    def slug(self) -> str:
        """Its name in file names."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


class Ordering(Strict):
    """A claim that some variants are better than others, measured by one metric."""

    claim: Name
    """The claim as a sentence."""

    metric: Name
    """The metric. It defines whether higher or lower is better."""

    better: Annotated[tuple[Name, ...], Len(1)]
    """The variants claimed to be better. Each is compared with each variant in `worse`."""

    worse: Annotated[tuple[Name, ...], Len(1)]
    """The variants claimed to be worse."""

    paper: bool = False
    """Whether the paper makes this claim."""


class GroundTruth(Strict):
    """The table row for the targets themselves, for metrics that compute a value for them."""

    details: dict[str, Name] = Field(default_factory=dict)
    """By column, the metric's detail that holds the targets' value, e.g.
    `seg_score = "real_per_pixel"`."""

    paper: Numbers = Field(default_factory=dict)
    """The paper's values for the targets, by column."""


class Study(Strict):
    """A whole study file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
    """The name of the study's folder."""

    title: str = ""
    """The page's title; default: the name."""

    summary: str = ""
    """The study's question, in a paragraph."""

    recipe: Name
    """The base recipe's file, relative to the study file's folder."""

    seeds: Seeds = (0,)
    """The seeds that every variant is trained with."""

    metrics: Annotated[tuple[str, ...], Len(1)]
    """The metrics computed on the test split of every run."""

    columns: tuple[str, ...] = ()
    """The columns of the table: metrics without their options, and details of metrics such as
    `lab_histogram.a`; default: all `metrics`."""

    set: dict[str, Any] = Field(default_factory=dict)
    """The recipe keys that all variants change, see `variants.set`."""

    variants: Annotated[tuple[Variant, ...], Len(1)]
    """The variants to compare."""

    orderings: tuple[Ordering, ...] = ()
    """The claims to test, each about the order of variants."""

    ground_truth: GroundTruth | None = None
    """The table row for the targets themselves."""

    paper: dict[str, Name] = Field(default_factory=dict)
    """By metric, the source of the paper's values and how they differ from the study's."""

    reading: str = ""
    """Your interpretation of the results, in Markdown."""

    @cached_property
    def metric_texts(self) -> dict[str, str]:
        """The metrics by their names in tables: without options, if that is unambiguous."""
        names = [text.partition(":")[0].strip() for text in self.metrics]
        counts = Counter(names)
        return {
            name if counts[name] == 1 else text: text
            for name, text in zip(names, self.metrics, strict=True)
        }

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns of the table."""
        return self.columns or tuple(self.metric_texts)

    def column(self, name: str) -> tuple[str, str | None]:
        """Return the metric of a column and the name of its detail, or None for its value.

        Raises:
            KeyError: If the study has no such metric.
        """
        if name in self.metric_texts:
            return name, None
        for metric in self.metric_texts:
            if name.startswith(f"{metric}."):
                return metric, name.removeprefix(f"{metric}.")
        raise KeyError(name)

    def seeds_of(self, variant: Variant) -> tuple[int, ...]:
        """Return the seeds that a variant is trained with."""
        return variant.seeds or self.seeds
