"""The page about a run, made from nothing but the run's folder."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from i2i.errors import I2IError
from i2i.evaluation.results import counted, extras, flat, number
from i2i.images import read
from i2i.images.sheets import cells, sheet
from i2i.report.curves import curves
from i2i.report.page import file_uri, png_uri, render, svg_uri
from i2i.run_folder import RunFolder
from i2i.system.files import write_whole

MOMENTS = 6
"""How many moments of the training the samples are shown at."""


def write_report(folder: RunFolder) -> Path:
    """Write `report.html` into a run's folder; everything it shows is inside the file.

    Raises:
        I2IError: If the folder is not a run's.
    """
    if not folder.recipe.is_file():
        raise I2IError(f"{folder.path} is not a run: it has no {folder.recipe.name}")
    text = folder.recipe.read_text(encoding="utf-8")
    recipe = tomllib.loads(text)
    lines = _read_lines(folder.metrics)
    evaluation = _read_json(folder.evaluation / "metrics.json")
    environment = _read_json(folder.environment)
    steps, samples = _samples_over_time(folder, recipe)
    page = render(
        "run.html",
        number=number,
        counted=counted,
        flat=flat,
        extras=extras,
        copied=lambda text: _copied(evaluation, text),
        name=recipe["name"],
        recipe=text,
        environment=environment,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        training=[line for line in lines if "losses" in line],
        curves=[svg_uri(svg) for svg in curves(lines)],
        sample_steps=steps,
        samples=png_uri(samples) if samples is not None else None,
        evaluation=evaluation,
        test_sheet=file_uri(folder.evaluation / "sheet.png"),
    )
    write_whole(folder.report, page)
    return folder.report


def _copied(evaluation: dict[str, Any] | None, text: str) -> str:
    """The value of the input taken as the output, where the metric has one."""
    copies = (evaluation or {}).get("input_as_output") or {}
    return number({"value": copies[text]}) if text in copies else "–"


def _samples_over_time(
    folder: RunFolder, recipe: dict[str, Any]
) -> tuple[list[int], np.ndarray[Any, Any] | None]:
    """One sheet of input | output at each of some moments | target, and the moments' steps."""
    files = sorted(folder.samples.glob("step-*.png"))
    if not files:
        return [], None
    chosen = [files[i] for i in np.unique(np.linspace(0, len(files) - 1, MOMENTS).astype(int))]
    size = recipe["augment"]["crop_size"]
    height, width = (size, size) if isinstance(size, int) else size
    pages = [cells(read(file, "rgb"), height, width) for file in chosen]
    rows = [
        [pages[0][row][0], *(page[row][1] for page in pages), pages[0][row][2]]
        for row in range(len(pages[0]))
    ]
    return [int(file.stem.removeprefix("step-")) for file in chosen], sheet(rows)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _read_json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None
