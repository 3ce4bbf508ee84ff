"""The HTML report of a run, made only from the run's folder."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from i2i.evaluation.document import read_run_document
from i2i.evaluation.results import counted, extras, flat, number
from i2i.evaluation.samples import INPUT, TARGET, SampleFolder
from i2i.evaluation.split import OUTPUT
from i2i.images.sheets import gallery, sheet
from i2i.recipe import load_run_recipe
from i2i.report.curves import curves
from i2i.report.html import file_uri, png_uri, render, svg_uri
from i2i.report.moments import samples_over_time
from i2i.run_folder import RunFolder, read_log
from i2i.system.files import write_whole


def write_report(folder: RunFolder, out: Path | None = None) -> Path:
    """Write the self-contained report of a run and return its path.

    Args:
        folder: The run's folder.
        out: The file; `report.html` in the run's folder by default.

    Raises:
        I2IError: If the folder is not a run folder, or a file in it is damaged.
        OSError: If the report can't be written.
    """
    folder.check()
    recipe = load_run_recipe(folder.recipe)
    lines = read_log(folder.metrics)
    evaluation = _if_there(lambda: read_run_document(folder.evaluation / "metrics.json"))
    environment = _if_there(folder.read_environment)
    steps, samples = samples_over_time(folder.samples, recipe.augment.crop)
    tested = SampleFolder(folder.evaluation / "samples").rows((INPUT, OUTPUT, TARGET))
    page = render(
        "run.html",
        number=number,
        counted=counted,
        flat=flat,
        extras=extras,
        copied=lambda text: _copied(evaluation, text),
        name=recipe.name,
        recipe=folder.recipe.read_text(encoding="utf-8"),
        environment=environment,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        training=[line for line in lines if "losses" in line],
        curves=[svg_uri(svg) for svg in curves(lines)],
        sample_steps=steps,
        samples=png_uri(sheet(samples)) if samples else None,
        evaluation=evaluation,
        test_sheet=png_uri(gallery(tested)) if tested else file_uri(_old_sheet(folder)),
    )
    out = out or folder.report
    write_whole(out, page)
    return out


def _copied(evaluation: dict[str, Any] | None, text: str) -> str:
    """Return the metric's value with the input as the output, or a dash if there is none."""
    copies = (evaluation or {}).get("input_as_output") or {}
    if evaluation is None or text not in copies:
        return "–"
    words = evaluation["details"][text].get("input_as_output_not_finite", "")
    return number({"value": copies[text], "not_finite": words})


def _old_sheet(folder: RunFolder) -> Path:
    """The sheet of test pairs that version 0.1 stored instead of samples."""
    return folder.evaluation / "sheet.png"


def _if_there(read: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return read()
    except FileNotFoundError:
        return None
