"""The HTML report of a run, made only from the run's folder."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from i2i.evaluation.results import counted, extras, flat, number
from i2i.recipe import load_run_recipe
from i2i.report.curves import curves
from i2i.report.html import render, svg_uri
from i2i.report.model_section import model_sections
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
    page = render(
        "run.html",
        number=number,
        counted=counted,
        flat=flat,
        extras=extras,
        name=recipe.name,
        recipe=folder.recipe.read_text(encoding="utf-8"),
        environment=_environment(folder),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        training=[line for line in lines if "losses" in line],
        curves=[svg_uri(svg) for svg in curves(lines)],
        models=list(model_sections(folder, recipe.augment.crop)),
    )
    out = out or folder.report
    write_whole(out, page)
    return out


def _environment(folder: RunFolder) -> dict[str, Any] | None:
    try:
        return folder.read_environment()
    except FileNotFoundError:
        return None
