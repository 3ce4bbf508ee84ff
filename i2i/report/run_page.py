"""The HTML report of a run, made only from the run's folder."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from i2i.errors import I2IError
from i2i.evaluation.results import counted, extras, flat, number
from i2i.evaluation.samples import INPUT, TARGET, SampleFolder
from i2i.evaluation.split import OUTPUT
from i2i.images.sheets import gallery, sheet
from i2i.report.curves import curves
from i2i.report.html import file_uri, png_uri, render, svg_uri
from i2i.report.moments import samples_over_time
from i2i.run_folder import RunFolder
from i2i.system.files import write_whole


def write_report(folder: RunFolder) -> Path:
    """Write the self-contained `report.html` into a run's folder.

    Raises:
        I2IError: If the folder is not a run folder.
    """
    if not folder.recipe.is_file():
        raise I2IError(f"{folder.path} is not a run: it has no {folder.recipe.name}")
    text = folder.recipe.read_text(encoding="utf-8")
    recipe = tomllib.loads(text)
    lines = _read_lines(folder.metrics)
    evaluation = _read_json(folder.evaluation / "metrics.json")
    environment = _read_json(folder.environment)
    steps, samples = samples_over_time(folder.samples, recipe["augment"]["crop_size"])
    tested = SampleFolder(folder.evaluation / "samples").rows((INPUT, OUTPUT, TARGET))
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
        samples=png_uri(sheet(samples)) if samples else None,
        evaluation=evaluation,
        test_sheet=png_uri(gallery(tested)) if tested else file_uri(_old_sheet(folder)),
    )
    write_whole(folder.report, page)
    return folder.report


def _copied(evaluation: dict[str, Any] | None, text: str) -> str:
    """Return the metric's value with the input as the output, or a dash if there is none."""
    copies = (evaluation or {}).get("input_as_output") or {}
    return number({"value": copies[text]}) if text in copies else "–"


def _old_sheet(folder: RunFolder) -> Path:
    """The sheet of test pairs that version 0.1 stored instead of samples."""
    return folder.evaluation / "sheet.png"


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _read_json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None
