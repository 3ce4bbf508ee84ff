"""Writes a study's HTML page, Markdown and JSON, made only from its records."""

from datetime import UTC, datetime
from typing import Any

from i2i.evaluation.results import flat
from i2i.images import png_bytes
from i2i.images.sheets import sheet
from i2i.images.types import Array
from i2i.report import markdown
from i2i.report.html import png_uri, render, svg_uri
from i2i.studies.folder import StudyFolder
from i2i.studies.markdown import as_markdown, signed
from i2i.studies.plots import histograms, looks, training_curves
from i2i.studies.record import Record
from i2i.studies.results import Results
from i2i.system.console import duration
from i2i.system.files import write_whole
from i2i.system.json_file import json_text

SMALL = 128
"""Images narrower than this many pixels are enlarged without smoothing."""


def write_results(folder: StudyFolder, results: Results) -> None:
    """Write `study.json`, `study.md` and `study.html` into a study's folder, and `figure.png`."""
    write_whole(folder.results, f"{json_text(results.to_json(), indent=2)}\n")
    figure = columns_of_images(results)
    write_whole(folder.text, as_markdown(results, list(figure)))
    if figure:
        rows = zip(*figure.values(), strict=True)
        write_whole(folder.path / "figure.png", png_bytes(sheet([list(row) for row in rows])))
    write_whole(folder.page, page(results, figure))


def columns_of_images(results: Results) -> dict[str, list[Array]]:
    """Return the figure by columns: inputs, every variant's outputs, and the ground truth.

    Variants with other test pairs than the first variant are left out.
    """
    records = results.first
    if not records:
        return {}
    first = next(iter(records.values()))
    pairs = first.pairs()
    return {
        "input": [row[0] for row in pairs],
        **{
            name: record.outputs()
            for name, record in records.items()
            if record.document["images"]["pairs"] == first.document["images"]["pairs"]
        },
        "ground truth": [row[1] for row in pairs],
    }


def page(results: Results, figure: dict[str, list[Array]]) -> str:
    """Render the self-contained HTML page."""
    study = results.study
    look = looks([variant.name for variant in study.variants])
    return render(
        "study.html",
        results=results,
        study=study,
        look=look,
        reading=markdown.html(study.reading),
        summary=markdown.html(study.summary),
        notices=_notices(results),
        figure={
            name: png_uri(sheet([[image] for image in column])) for name, column in figure.items()
        },
        pixelated=bool(figure) and figure["input"][0].shape[1] < SMALL,
        curves=[svg_uri(svg) for svg in training_curves(results, look)],
        histograms=[svg_uri(svg) for svg in histograms(results, look)],
        changes=results.changes(),
        signed=signed,
        flat=flat,
        duration=duration,
        bootstrap_samples=_bootstrap_samples(results),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _notices(results: Results) -> list[str]:
    """Return the notices at the top of the page."""
    notices = dict.fromkeys(
        notice
        for record in results.records
        if (notice := record.document["environment"]["data"]["notice"])
    )
    if results.missing:
        notices[f"Not run yet, so not on this page: {'; '.join(results.missing)}."] = None
    for name, text in results.study.metric_texts.items():
        equal = {
            variant: sum(_equal_pairs(record, text) for record in runs.values())
            for variant, runs in results.runs.items()
        }
        if any(equal.values()):
            counts = ", ".join(f"{n:,} of {variant}" for variant, n in equal.items() if n)
            notices[f"{name} leaves out pairs whose images are equal: {counts}."] = None
    if results.differing:
        notices[f"The runs' fingerprints differ: {'; '.join(results.differing)}."] = None
    return list(notices)


def _equal_pairs(record: Record, text: str) -> int:
    return int(record.evaluation["details"].get(text, {}).get("equal_pairs", 0))


def _bootstrap_samples(results: Results) -> int:
    """Return the smallest number of bootstrap samples among all measured metrics; 0 without any."""
    details: list[dict[str, Any]] = [
        about for record in results.records for about in record.evaluation["details"].values()
    ]
    return min((len(about["bootstrap"]) for about in details if about.get("bootstrap")), default=0)
