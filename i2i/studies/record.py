"""What is kept of a run for good: enough for the study's page, small enough for a repository."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from i2i.errors import DataError, I2IError
from i2i.images.types import Array
from i2i.recipe import Recipe, parse_run_recipe
from i2i.recipe.upgrade import upgrade
from i2i.run_folder import RunFolder
from i2i.studies.images import copy_images, keep_images, read_outputs, read_pairs
from i2i.studies.sameness import digest
from i2i.system.files import write_whole

POINTS = 100
"""Points of a loss's curve that are kept; each is the mean of those around it."""


@dataclass(frozen=True)
class Record:
    """The record of a run that has ended.

    Args:
        path: Its file.
        document: What the file holds.
    """

    path: Path
    document: Mapping[str, Any]

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe; a key that has come since has its default."""
        return parse_run_recipe(self.document["recipe"], source=str(self.path))

    @cached_property
    def digest(self) -> str:
        """What it shares with recipes that give the same results."""
        return digest(self.recipe)

    @property
    def evaluation(self) -> Mapping[str, Any]:
        """What was measured, as in a run's `evaluation/metrics.json`."""
        found: Mapping[str, Any] = self.document["evaluation"]
        return found

    def lacks(self, recipe: Recipe) -> list[str]:
        """Which metrics of a recipe haven't been measured, or not on as many bootstrap samples."""
        if recipe.eval.bootstrap > self.document["recipe"]["eval"].get("bootstrap", 0):
            return list(recipe.eval.metrics)
        details = self.evaluation["details"]
        return [text for text in recipe.eval.metrics if "value" not in details.get(text, {})]

    def outputs(self) -> list[Array]:
        """The translations of the test pairs to be looked at."""
        return read_outputs(self.path.parent, self.document["images"])

    def pairs(self) -> list[list[Array]]:
        """Their inputs and targets."""
        return read_pairs(self.path.parent, self.document["images"])


def _portable(recipe: Recipe) -> dict[str, Any]:
    """A recipe without the place of the data, which is another one's on another machine.

    Data sets may require a root, so it has one, which says nothing.
    """
    document = recipe.model_dump(mode="json", exclude_none=True)
    if "root" in document["data"]:
        document["data"]["root"] = "."
    return document


def _portable_environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    """A run's environment without its command, and without what was wrong with which file."""
    data = environment["data"]
    skipped = {split: [name for name, _ in pairs] for split, pairs in data["skipped"].items()}
    kept = {key: value for key, value in environment.items() if key != "command"}
    return {**kept, "data": {**data, "skipped": skipped}}


def read_records(folder: Path) -> list[Record]:
    """All records in a folder.

    Raises:
        I2IError: If one is damaged.
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
            f"{path}: is no record of a run ({error!r}): remove it, and its run is done again"
        ) from error
    return Record(path, document)


def _upgrade(document: dict[str, Any]) -> None:
    """Bring a record of version 0.1 to today's names, in place."""
    upgrade(document["recipe"], set(Recipe.model_fields), warn=False)
    _upgrade_evaluation(document["evaluation"])


def _upgrade_evaluation(evaluation: dict[str, Any]) -> None:
    for details in evaluation["details"].values():
        if "resampled" in details:
            details.setdefault("bootstrap", details.pop("resampled"))


def write_record(path: Path, run: RunFolder, recipe: Recipe, variant: str) -> Record:
    """Write the record of a run that has ended, beside it its images; the record last.

    Args:
        path: The record's file; its folder must be there.
        run: The run.
        recipe: Its recipe.
        variant: Whose it is.

    A record goes to other machines: it names no place on this one.

    Raises:
        I2IError: If the run hasn't ended.
    """
    try:
        evaluation = json.loads((run.evaluation / "metrics.json").read_text(encoding="utf-8"))
        environment = json.loads(run.environment.read_text(encoding="utf-8"))
        lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise I2IError(f"{run.path}: the run has ended without results ({error})") from error
    _upgrade_evaluation(evaluation)
    training = [line for line in lines if "losses" in line]
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
            "losses": list(_thinned(training, POINTS)),
            "validation": [
                {"step": line["step"], **line["validation"]}
                for line in lines
                if "validation" in line
            ],
        },
    }
    write_whole(path, _line_a_part(document))
    return Record(path, document)


def copy_record(record: Record, path: Path) -> Record:
    """Copy a record of another study, with its images.

    Args:
        record: The other's.
        path: The copy's file; its folder must be there.

    Raises:
        I2IError: If its images can't be read.
    """
    try:
        images = copy_images(record.path.parent, record.document["images"], path)
    except (OSError, DataError) as error:
        raise I2IError(f"{record.path}: can't be taken over: {error}") from error
    document = {**record.document, "images": images}
    write_whole(path, _line_a_part(document))
    return Record(path, document)


def _seconds(training: Sequence[Mapping[str, Any]], batch_size: int) -> float:
    """How long the updates took, over all sessions; without validation and saving."""
    steps = np.diff([0, *(line["step"] for line in training)])
    speeds = np.array([line["images_per_second"] for line in training])
    return float((steps * batch_size / speeds)[speeds > 0].sum())


def _thinned(training: Sequence[Mapping[str, Any]], points: int) -> Iterator[dict[str, float]]:
    """The losses' curves in so many points, or as many as there are."""
    for part in np.array_split(np.arange(len(training)), min(points, len(training))):
        lines = [training[i] for i in part]
        means = {
            name: float(np.mean([line["losses"][name] for line in lines]))
            for name in lines[0]["losses"]
        }
        yield {"step": lines[-1]["step"], **{k: _short(v) for k, v in means.items()}}


def _short(value: float) -> float:
    return float(f"{value:.5g}") if math.isfinite(value) else value


def _line_a_part(document: Mapping[str, Any]) -> str:
    """JSON that is readable from afar and no longer than it has to be."""
    parts = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"
