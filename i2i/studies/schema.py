"""What a study file may say."""

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
"""By column."""


class Variant(Strict):
    """A variant of the base recipe."""

    name: Name
    """What the tables call it; as in the paper, where it has a name there."""

    summary: str = ""
    """What it is, in a line."""

    seeds: Seeds | None = None
    """Its own seeds; without them, the study's."""

    set: dict[str, Any] = Field(default_factory=dict)
    """What it changes in the recipe. Tables are merged; one that names another `type` is replaced
    whole, as are lists and values."""

    paper: Numbers = Field(default_factory=dict)
    """What the paper says of it, by column."""

    @property
    def slug(self) -> str:
        """Its name as files have it."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


class Ordering(Strict):
    """A claim that variants are better than others by a metric."""

    claim: Name
    """The claim as a sentence."""

    metric: Name
    """The metric; which way is better it says itself."""

    better: Annotated[tuple[Name, ...], Len(1)]
    """The variants that are said to be better: each of them than each of `worse`."""

    worse: Annotated[tuple[Name, ...], Len(1)]
    """The variants that are said to be worse."""

    paper: bool = False
    """Whether the paper says so."""


class GroundTruth(Strict):
    """The row of the targets themselves, where metrics can tell what they would get."""

    details: dict[str, Name] = Field(default_factory=dict)
    """For a column, which of its metric's details tells it: `seg_score = "real_per_pixel"`."""

    paper: Numbers = Field(default_factory=dict)
    """What the paper says of them, by column."""


class Study(Strict):
    """A whole study file."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
    """What the study's folder is called."""

    title: str = ""
    """The page's title; without it, the name."""

    summary: str = ""
    """What it asks, in a paragraph."""

    recipe: Name
    """The base recipe's file, from the study file's folder."""

    seeds: Seeds = (0,)
    """The seeds that every variant is trained with."""

    metrics: Annotated[tuple[str, ...], Len(1)]
    """What is measured on the test split of every run."""

    columns: tuple[str, ...] = ()
    """What the table shows: metrics, and numbers of their details such as `lab_histogram.a`;
    without it, `metrics`. A metric goes by its name here, without options."""

    set: dict[str, Any] = Field(default_factory=dict)
    """What all variants change in the recipe, see `variants.set`."""

    variants: Annotated[tuple[Variant, ...], Len(1)]
    """What is compared."""

    orderings: tuple[Ordering, ...] = ()
    """What is claimed of them."""

    ground_truth: GroundTruth | None = None
    """The targets' own row."""

    paper: dict[str, Name] = Field(default_factory=dict)
    """For a metric, where the paper's numbers are from, and what sets them apart from these."""

    reading: str = ""
    """What a person reads in the results, in Markdown."""

    @cached_property
    def metric_texts(self) -> dict[str, str]:
        """The metrics by the names that tables have: without options, where one has that name."""
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
        """A column's metric, by its name in tables, and which of its details; None for its value.

        Raises:
            KeyError: If there is no such metric.
        """
        if name in self.metric_texts:
            return name, None
        for metric in self.metric_texts:
            if name.startswith(f"{metric}."):
                return metric, name.removeprefix(f"{metric}.")
        raise KeyError(name)

    def seeds_of(self, variant: Variant) -> tuple[int, ...]:
        """The seeds that a variant is trained with."""
        return variant.seeds or self.seeds
