"""Finds the run and the metrics that belong to a model file."""

from pathlib import Path
from typing import Any

from i2i.errors import I2IError
from i2i.evaluation.document import read_run_document
from i2i.run_folder import RunFolder

METRICS = "metrics.json"
EXAMPLES = "examples"


def run_of(model: Path) -> RunFolder | None:
    """The run that contains the model file as a checkpoint; None for a file outside runs."""
    checkpoints = model.resolve().parent.parent
    run = RunFolder(checkpoints.parent)
    return run if checkpoints == run.checkpoints and run.recipe.is_file() else None


def metrics_of(model: Path) -> dict[str, Any] | None:
    """Read `metrics.json` of the model's run, or beside a model file outside runs.

    Returns:
        The document; None if it is missing or not the result of an evaluation.
    """
    run = run_of(model)
    path = (run.evaluation if run else model.parent) / METRICS
    try:
        return read_run_document(path)
    except (FileNotFoundError, I2IError):
        return None
