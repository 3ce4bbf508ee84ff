"""Records of finished runs: enough for the study's page, small enough to commit to a repository."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from i2i.errors import DataError, I2IError
from i2i.evaluation.document import read_run_document
from i2i.images.types import Array
from i2i.recipe import Recipe, parse_run_recipe
from i2i.recipe.paths import path_keys
from i2i.recipe.upgrade import upgrade
from i2i.run_folder import RunFolder, read_log
from i2i.studies.images import copy_images, keep_images, read_outputs, read_pairs
from i2i.studies.sameness import digest
from i2i.system.files import write_whole
from i2i.system.json_file import json_text

POINTS = 100
"""Largest number of points per loss curve; each is the mean of the log lines around it."""


@dataclass(frozen=True)
class Record:
    """The record of a finished run.

    Args:
        path: Its file.
        document: The content of the file.
    """

    path: Path
    document: Mapping[str, Any]

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe; keys added since the record was written have their defaults."""
        return parse_run_recipe(self.document["recipe"], source=str(self.path))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 that the recipe shares with recipes that give the same results."""
        return digest(self.recipe)

    @property
    def evaluation(self) -> Mapping[str, Any]:
        """The content of the run's `evaluation/metrics.json`."""
        found: Mapping[str, Any] = self.document["evaluation"]
        return found

    def lacks(self, recipe: Recipe) -> list[str]:
        """List the recipe's metrics that are missing, or that have too few bootstrap samples."""
        if recipe.eval.bootstrap > self.document["recipe"]["eval"].get("bootstrap", 0):
            return list(recipe.eval.metrics)
        details = self.evaluation["details"]
        return [text for text in recipe.eval.metrics if "value" not in details.get(text, {})]

    def outputs(self) -> list[Array]:
        """Read the stored outputs, one per test pair."""
        return read_outputs(self.path.parent, self.document["images"])

    def pairs(self) -> list[list[Array]]:
        """Read the inputs and targets of the stored test pairs."""
        return read_pairs(self.path.parent, self.document["images"])


def _portable(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe with "." for the paths of its data set, which differ between machines.

    The keys stay, because some data sets require them.
    """
    document = recipe.model_dump(mode="json", exclude_none=True)
    data = document["data"]
    data |= {key: "." for key in path_keys(data) if key in data}
    return document


def _portable_environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's environment without its command and without the reasons of skipped files."""
    data = environment["data"]
    skipped = {split: [name for name, _ in pairs] for split, pairs in data["skipped"].items()}
    kept = {key: value for key, value in environment.items() if key != "command"}
    return {**kept, "data": {**data, "skipped": skipped}}


def read_records(folder: Path) -> list[Record]:
    """Read all records in a folder.

    Raises:
        I2IError: If a record is damaged.
    """
    return [read_record(path) for path in sorted(folder.glob("*.json"))]


def read_record(path: Path) -> Record:
    """Read one record.

    Raises:
        I2IError: If it is damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for part in ("recipe", "evaluation", "images", "curves", "environment"):
            document[part].keys()
        _upgrade(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise I2IError(
            f"{path}: is not a valid record ({error!r}): remove it to run its recipe again"
        ) from error
    return Record(path, document)


def _upgrade(document: dict[str, Any]) -> None:
    """Rename the keys of a version 0.1 record to the current names, in place."""
    upgrade(document["recipe"], set(Recipe.model_fields), warn=False)
    _upgrade_evaluation(document["evaluation"])


def _upgrade_evaluation(evaluation: dict[str, Any]) -> None:
    for details in evaluation["details"].values():
        if "resampled" in details:
            details.setdefault("bootstrap", details.pop("resampled"))


def write_record(path: Path, run: RunFolder, recipe: Recipe, variant: str) -> Record:
    """Write the images of a finished run, then its record.

    Records are copied to other machines, so they contain no paths of this one.

    Args:
        path: The record's file; its folder must exist.
        run: The run.
        recipe: Its recipe.
        variant: The name of the variant.

    Raises:
        I2IError: If the run has no results.
    """
    try:
        evaluation = read_run_document(run.evaluation / "metrics.json")
        environment = run.read_environment()
    except FileNotFoundError as error:
        raise I2IError(f"{run.path}: the run ended without results ({error})") from error
    lines = read_log(run.metrics)
    training = [line for line in lines if "losses" in line]
    if not training:
        raise I2IError(f"{run.metrics}: has no complete line of a training")
    _upgrade_evaluation(evaluation)
    document = {
        "variant": variant,
        "seed": recipe.seed,
        "digest": digest(recipe),
        "recipe": _portable(recipe),
        "updates": training[-1]["step"],
        "seconds": round(_seconds(training, recipe.train.batch_size), 1),
        "environment": _portable_environment(environment),
        "images": keep_images(path, run),
        "evaluation": evaluation,
        "curves": {
            "losses": list(_downsampled(training, POINTS)),
            "validation": [
                {"step": line["step"], **line["validation"]}
                for line in lines
                if "validation" in line
            ],
        },
    }
    write_whole(path, _one_line_per_key(document))
    return Record(path, document)


def copy_record(record: Record, path: Path) -> Record:
    """Copy a record of another study, with its images.

    Args:
        record: The other study's record.
        path: The file of the copy; its folder must exist.

    Raises:
        I2IError: If the images can't be copied.
    """
    try:
        images = copy_images(record.path.parent, record.document["images"], path)
    except (OSError, DataError) as error:
        raise I2IError(f"{record.path}: can't be copied: {error}") from error
    document = {**record.document, "images": images}
    write_whole(path, _one_line_per_key(document))
    return Record(path, document)


def _seconds(training: Sequence[Mapping[str, Any]], batch_size: int) -> float:
    """Return the seconds that updates took over all sessions, without validation and saving."""
    steps = np.diff([0, *(line["step"] for line in training)])
    speeds = np.array([line["images_per_second"] for line in training])
    return float((steps * batch_size / speeds)[speeds > 0].sum())


def _downsampled(training: Sequence[Mapping[str, Any]], points: int) -> Iterator[dict[str, float]]:
    """Yield the loss curves, averaged down to at most `points` points."""
    for part in np.array_split(np.arange(len(training)), min(points, len(training))):
        lines = [training[i] for i in part]
        means = {
            name: float(np.mean([line["losses"][name] for line in lines]))
            for name in lines[0]["losses"]
        }
        yield {"step": lines[-1]["step"], **{k: _short(v) for k, v in means.items()}}


def _short(value: float) -> float:
    return float(f"{value:.5g}") if math.isfinite(value) else value


def _one_line_per_key(document: Mapping[str, Any]) -> str:
    """Format a document as JSON with one line per top-level key."""
    parts = (f"{json_text(key)}: {json_text(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"
