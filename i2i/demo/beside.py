"""What lies beside a model file: the run that it came from, what was measured, examples."""

import json
from pathlib import Path
from typing import Any

from i2i.run_folder import RunFolder

METRICS = "metrics.json"
EXAMPLES = "examples"

_DOCUMENT = {"details", "images", "split", "step"}
"""What an evaluation writes for sure."""


def run_of(model: Path) -> RunFolder | None:
    """The run among whose checkpoints a model file lies; None for a lone one."""
    checkpoints = model.resolve().parent.parent
    run = RunFolder(checkpoints.parent)
    return run if checkpoints == run.checkpoints and run.recipe.is_file() else None


def metrics_of(model: Path) -> dict[str, Any] | None:
    """What was measured, as `metrics.json` tells it: of a run, or beside a lone model file.

    Returns:
        The document; None where there is none, or it is something else.
    """
    run = run_of(model)
    path = (run.evaluation if run else model.parent) / METRICS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and document.keys() >= _DOCUMENT else None
