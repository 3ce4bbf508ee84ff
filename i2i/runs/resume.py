"""Resuming of a run: checks that recipe and data are the same, and loads the newest checkpoint."""

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
    "data.side_by_side",
    "data.url",
)
"""Keys that may change, because they have no effect on training: `[test]` only uses the weights,
and the fingerprints of the data are compared.

An item that ends with a dot stands for the whole section.
"""

LENGTH = ("train.epochs", "train.max_steps")
"""Keys that set the length of the training, on which the learning rates of a schedule depend."""


def resume_training(
    trainer: Trainer, folder: RunFolder, fingerprints: Mapping[str, str]
) -> list[str]:
    """Load the newest undamaged checkpoint of a run into the trainer.

    Without a checkpoint the trainer starts from step 0.

    Args:
        trainer: A new trainer.
        folder: The run's folder.
        fingerprints: Fingerprints of the data, by split.

    Returns:
        One reason for each newer checkpoint that was skipped.

    Raises:
        CheckpointError: If the run was started with another recipe.
        DataError: If the run was started with other data.
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
        trainer.best = None  # values of different metrics can't be compared
    return passed_over


def check_same_recipe(recipe: Recipe, saved: Recipe, file: Path) -> None:
    """Check that a run resumes with the recipe that it was started with.

    `MAY_CHANGE` keys may differ, and `LENGTH` keys if the learning rate is constant.

    Args:
        recipe: The recipe to resume with.
        saved: The recipe in the run's folder.
        file: Its file, for the message.

    Raises:
        CheckpointError: If another key differs; the message lists all of them.
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
            f"{file}: the run was started with another recipe: {described(others)}. "
            "Resume with the same recipe, or start another run (--out, --overwrite)"
        )
    if length and recipe.schedule.type != "constant":
        raise CheckpointError(
            f"{file}: {described(length)}, but the {recipe.schedule.type} schedule's learning "
            "rates depend on the length of the training: the steps so far would have had other "
            "learning rates. Resume with the same length, or start another run (--out, "
            "--overwrite). The length can change only with a constant schedule"
        )


def check_same_data(environment: Path, fingerprints: Mapping[str, str]) -> None:
    """Check that a run resumes with the data that it was started with.

    Args:
        environment: The run's `environment.json`.
        fingerprints: Fingerprints of the data, by split.

    Raises:
        DataError: If splits differ; the message names them.
    """
    before = json.loads(environment.read_text())["data"]["fingerprint"]
    differing = [split for split, print_ in fingerprints.items() if before.get(split) != print_]
    if differing:
        raise DataError(
            [
                f"{environment}: the run was started with other data: the pairs of "
                f"{', '.join(differing)} have changed. Start another run (--out, --overwrite)"
            ]
        )


def _flat(table: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested dicts and lists, with its dotted path."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
