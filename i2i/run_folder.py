"""A run's folder: what lies where, and how it is begun."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import I2IError


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, by default `runs/<the recipe's name>`."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def environment(self) -> Path:
        """What it ran on and with."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """One line a logged step."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """Sheets of input | output | target over time."""
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints by step."""
        return self.path / "checkpoints"

    @property
    def evaluation(self) -> Path:
        """Translated test images and what was measured on them."""
        return self.path / "evaluation"

    @property
    def report(self) -> Path:
        """The page about the run."""
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's event files."""
        return self.path / "tensorboard"

    def begin(self, *, resume: bool, overwrite: bool) -> None:
        """Make the folder ready to be written to.

        Raises:
            I2IError: If a run is there already and is neither to be resumed nor overwritten, or if
                the folder can't be written to.
        """
        if not resume:
            if any(self.checkpoints.glob("step-*")) and not overwrite:
                raise I2IError(
                    f"{self.path} holds a run already: go on with it (--resume), begin again "
                    "(--overwrite), or choose another folder (--out)"
                )
            self._clear()
        try:
            for folder in (self.path, self.samples, self.checkpoints, self.evaluation):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as error:
            raise I2IError(f"{self.path}: can't be written to: {error}") from error

    def _clear(self) -> None:
        """Remove what a run writes, and nothing else that may lie there."""
        for folder in (self.samples, self.checkpoints, self.evaluation, self.tensorboard):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.recipe, self.environment, self.metrics, self.report):
            file.unlink(missing_ok=True)
