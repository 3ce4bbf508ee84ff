"""Finds the examples and the metrics that belong to a model file."""

from pathlib import Path
from typing import Any

from i2i.errors import I2IError
from i2i.evaluation.document import read_run_document
from i2i.images import SUFFIXES
from i2i.runs.beside import is_in, run_of, samples_of

METRICS = "metrics.json"
EXAMPLES = "examples"


def examples_of(model: Path, count: int) -> list[Path]:
    """Find up to `count` inputs to start from.

    They are those in the folder `examples` beside the model file, or else samples of its run. Links
    to files elsewhere are left out.
    """
    folder = model.parent / EXAMPLES
    if folder.is_dir():
        return [file for file in images_in(folder) if is_in(model.parent, file)][:count]
    return [file for file, _ in samples_of(model, count)]


def images_in(folder: Path) -> list[Path]:
    """The image files in a folder, sorted."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)


def metrics_of(model: Path) -> dict[str, Any] | None:
    """Read `metrics.json` of the model's run, or beside a model file outside runs.

    Returns:
        The document; None if it is missing, a link to a file elsewhere, or not the result of an
        evaluation.
    """
    run = run_of(model)
    path = (run.evaluation if run else model.parent) / METRICS
    try:
        if not is_in(run.path if run else model.parent, path):
            return None
        return read_run_document(path)
    except (FileNotFoundError, I2IError):
        return None
