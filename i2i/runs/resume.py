"""Whether a run may go on: with the same recipe, on the same data."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from i2i.errors import CheckpointError, DataError
from i2i.recipe import Recipe, load_run_recipe
from i2i.run_folder import RunFolder
from i2i.training import checkpoint as checkpoints
from i2i.training.trainer import Trainer

MAY_CHANGE = (
    "train.device",
    "train.workers",
    "validation.",
    "checkpoint.",
    "log.",
    "eval.",
    "test.",
    "data.root",
)
"""Keys that don't change what the steps so far have computed; `[test]` only reads the weights."""

LENGTH = ("train.epochs", "train.max_steps")
"""Keys that say how long a training is, which the learning rates of a schedule depend on."""


def resume_training(
    trainer: Trainer, folder: RunFolder, fingerprints: Mapping[str, str]
) -> list[str]:
    """Go back to the newest checkpoint that is whole; why newer ones were passed over.

    Raises:
        CheckpointError: If the run was begun with another recipe.
        DataError: If it was begun with other data.
    """
    criterion = trainer.recipe.validation.best
    if folder.recipe.exists():
        saved = load_run_recipe(folder.recipe)
        check_same_recipe(trainer.recipe, saved, folder.recipe)
        criterion = saved.validation.best
    if folder.environment.exists():
        check_same_data(folder.environment, fingerprints)
    if trainer.engine.leads:
        checkpoints.clean(folder.checkpoints)
    trainer.engine.barrier()
    newest, passed_over = checkpoints.newest(folder.checkpoints)
    if newest is not None:
        trainer.restore(newest)
    if criterion != trainer.recipe.validation.best:
        trainer.best = None  # values of two metrics don't compare
    return passed_over


def check_same_recipe(recipe: Recipe, saved: Recipe, file: Path) -> None:
    """Check that a run goes on with the recipe it was begun with, which its file has.

    The length may change where the learning rate is constant.

    Raises:
        CheckpointError: With every key that differs, but for those that may.
    """
    before = dict(_flat(saved.model_dump(mode="json", exclude_none=True)))
    now = dict(_flat(recipe.model_dump(mode="json", exclude_none=True)))
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    length = [key for key in changed if key in LENGTH]
    others = [key for key in changed if key not in LENGTH and not key.startswith(MAY_CHANGE)]

    def described(keys: list[str]) -> str:
        return "; ".join(
            f"{key} was {before.get(key, 'not set')!r} and is {now.get(key, 'not set')!r}"
            for key in keys
        )

    if others:
        raise CheckpointError(
            f"{file}: the run was begun with another recipe: {described(others)}. "
            "Go on with that one, or begin another run (--out, --overwrite)"
        )
    if length and recipe.schedule.type != "constant":
        raise CheckpointError(
            f"{file}: {described(length)}, but the {recipe.schedule.type} schedule's learning "
            "rates depend on the length of the training, and the steps so far were taken with "
            "others. Go on with the length that the run was begun with, or begin another run of "
            "the new length (--out, --overwrite). With a constant schedule any run can be "
            "prolonged"
        )


def check_same_data(environment: Path, fingerprints: Mapping[str, str]) -> None:
    """Check that a run goes on with the data it was begun with.

    Raises:
        DataError: With the splits that differ.
    """
    before = json.loads(environment.read_text())["data"]["fingerprint"]
    differing = [split for split, print_ in fingerprints.items() if before.get(split) != print_]
    if differing:
        raise DataError(
            [
                f"{environment}: the run was begun with other data: the pairs of "
                f"{', '.join(differing)} have changed since. Begin another run (--out, --overwrite)"
            ]
        )


def _flat(table: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
