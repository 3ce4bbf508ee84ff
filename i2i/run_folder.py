"""The folder of a run: the paths of its files, and its preparation."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import I2IError


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; default: `runs/<name of the recipe>`."""

    path: Path

    @property
    def recipe(self) -> Path:
        """The recipe with all defaults filled in."""
        return self.path / "recipe.toml"

    @property
    def environment(self) -> Path:
        """Hardware and software of the run, as JSON."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """The metric log, with one line of JSON per logged step."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """The folder of samples: `input`, `target` and a folder of outputs for each step."""
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, one per saved step."""
        return self.path / "checkpoints"

    @property
    def evaluation(self) -> Path:
        """The folder of translated test images and their metrics."""
        return self.path / "evaluation"

    @property
    def report(self) -> Path:
        """The HTML report of the run."""
        return self.path / "report.html"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard event files."""
        return self.path / "tensorboard"

    def begin(self, *, resume: bool, overwrite: bool) -> None:
        """Prepare the folder for a run: create it, or remove the files of an earlier run.

        Raises:
            I2IError: If the folder contains a run that is neither resumed nor overwritten, or if
                the folder can't be written to.
        """
        if not resume:
            if any(self.checkpoints.glob("step-*")) and not overwrite:
                raise I2IError(
                    f"{self.path} already contains a run: resume it (--resume), start again "
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
        """Remove the files of a run, but no other files in the folder."""
        for folder in (self.samples, self.checkpoints, self.evaluation, self.tensorboard):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.recipe, self.environment, self.metrics, self.report):
            file.unlink(missing_ok=True)
