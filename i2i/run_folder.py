"""The folder of a run: the paths of its files, and what is in them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import BaseModel, TypeAdapter

from i2i.errors import I2IError
from i2i.system.json_file import parse_json, read_json


class _Data(BaseModel):
    type: str
    fingerprint: dict[str, str]
    pairs: dict[str, int]
    unpaired: dict[str, list[int]] = {}
    skipped: dict[str, list[list[str]]]
    credit: str | None
    notice: str | None


class _Machine(BaseModel):
    processor: str
    cores: int | None
    threads: int


class _Git(BaseModel):
    commit: str
    changed: bool


class _Environment(BaseModel):
    versions: dict[str, str]
    machine: _Machine
    device: str
    ranks: int
    git: _Git | None
    command: list[str]
    data: _Data
    changes: list[dict[str, Any]] = []


class _Training(BaseModel):
    step: Annotated[int, Ge(0)]
    losses: dict[str, float]
    images_per_second: float
    waiting: float


class _Validation(BaseModel):
    step: Annotated[int, Ge(0)]
    validation: dict[str, float | None]


_ENVIRONMENT = TypeAdapter(_Environment)
_LINE: TypeAdapter[_Training | _Validation] = TypeAdapter(_Training | _Validation)


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

    @property
    def models(self) -> Path:
        """The folder with a folder for each model but the default one."""
        return self.path / "models"

    def of(self, model: str) -> "RunFolder":
        """The folder of a model's samples and evaluation: that of the run for the default model."""
        return self if model == "generator" else RunFolder(self.models / model)

    def other_models(self) -> list[str]:
        """The names of the models but the default one that have samples or an evaluation."""
        return sorted(path.name for path in self.models.glob("*") if path.is_dir())

    def check(self) -> None:
        """Check that the folder is a run.

        Raises:
            I2IError: If it has no recipe.
        """
        if not self.recipe.is_file():
            raise I2IError(f"{self.path} is not a run: it has no {self.recipe.name}")

    def read_environment(self) -> dict[str, Any]:
        """Read `environment.json`.

        Raises:
            FileNotFoundError: If it is missing.
            I2IError: If it is damaged.
        """
        return read_json(
            self.environment,
            _ENVIRONMENT,
            "delete it: 'i2i run RECIPE --resume' writes it again, without comparing the data",
        )


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read a `metrics.jsonl`, without lines that a killed process or a power cut left incomplete.

    Returns:
        Its lines, each with `step`, and `losses` or `validation`; none if the file is missing.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for text in lines if (line := parse_json(text, _LINE)) is not None]
