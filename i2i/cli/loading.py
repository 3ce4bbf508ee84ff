"""Loading of the model that a command is given."""

from pathlib import Path
from typing import TYPE_CHECKING

from i2i.cli.say import say

if TYPE_CHECKING:
    from i2i.model.model import Model


def load_model(path: Path, name: str, device: str) -> "Model":
    """Load a trained model, and report damaged checkpoints that were skipped.

    Raises:
        I2IError: As `i2i.runs.loading.load` does.
    """
    from i2i.runs.loading import load

    model = load(path, model=name, device=device)
    for reason in model.passed_over:
        say(f"skipped a damaged checkpoint: {reason}", err=True)
    return model
