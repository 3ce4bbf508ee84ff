"""A study's plots: validation curves, and histograms of outputs and targets."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from i2i.report.curves import Line, plot
from i2i.studies.record import Record
from i2i.studies.results import Results

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")
"""Okabe and Ito's palette, which is safe for colour-blind readers, and two more colours."""

STYLES = ("-", "--", ":", "-.")

GROUND_TRUTH = "#000000"

Look = tuple[str, str]
"""A line's colour and style."""


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return each variant's line colour and style."""
    return {
        name: (COLOURS[i % len(COLOURS)], STYLES[i // len(COLOURS) % len(STYLES)])
        for i, name in enumerate(names)
    }


def training_curves(results: Results, look: Mapping[str, Look]) -> list[str]:
    """Draw one SVG per validation metric over the updates; means over the seeds."""
    texts = dict.fromkeys(
        text
        for record in results.records
        for line in record.document["curves"]["validation"]
        for text in line
        if text != "step"
    )
    names = {text: name for name, text in results.study.metric_texts.items()}
    return [
        plot(names.get(text, text), lines, across="updates")
        for text in texts
        if (
            lines := [
                Line(points, *look[name])
                for name, runs in results.runs.items()
                if (points := _mean_curve(list(runs.values()), text))
            ]
        )
    ]


def histograms(results: Results, look: Mapping[str, Look]) -> list[str]:
    """Draw one SVG per axis of each metric with histograms: shares of pixels, logarithmic."""
    drawn = []
    for metric, text in results.study.metric_texts.items():
        found = {
            name: [kept for record in runs.values() if (kept := _histograms(record, text))]
            for name, runs in results.runs.items()
        }
        first = next((kept[0] for kept in found.values() if kept), None)
        for axis, ends in (first or {}).get("ranges", {}).items():
            assert first is not None
            lines = [
                Line(_shares([each["outputs"][axis] for each in kept], ends), *look[name])
                for name, kept in found.items()
                if kept
            ]
            truth = Line(_shares([first["targets"][axis]], ends), GROUND_TRUTH)
            drawn.append(plot(f"{metric}: {axis}", [*lines, truth], across=axis, log=True))
    return drawn


def _mean_curve(records: Sequence[Record], text: str) -> list[tuple[float, float]]:
    """Return the mean of a metric over the seeds, at the steps where all of them have a value."""
    curves = [
        {line["step"]: _drawable(line[text]) for line in record.document["curves"]["validation"]}
        for record in records
        if all(text in line for line in record.document["curves"]["validation"])
    ]
    if not curves:
        return []
    steps = sorted(set(curves[0]).intersection(*curves[1:]))
    return [(step, fmean(curve[step] for curve in curves)) for step in steps]


def _drawable(value: float | None) -> float:
    """A value of a curve; one that is not finite, null in JSON, makes a gap (NaN)."""
    return math.nan if value is None or not math.isfinite(value) else value


def _histograms(record: Record, text: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = record.evaluation["details"].get(text, {}).get("histograms")
    return found


def _shares(rows: Sequence[Sequence[float]], ends: Sequence[float]) -> list[tuple[float, float]]:
    """Return bin centres and mean shares; an empty bin makes a gap (NaN)."""
    shares = np.mean(rows, axis=0)
    edges = np.linspace(ends[0], ends[1], len(shares) + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    return [(x, y if y > 0 else math.nan) for x, y in zip(middles, shares, strict=True)]
