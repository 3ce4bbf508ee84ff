"""Resuming of a run: checks that recipe and data are the same, and loads the newest checkpoint."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2i.errors import CheckpointError, DataError
from i2i.recipe import Recipe, load_run_recipe
from i2i.recipe.assemble import is_played_alone
from i2i.run_folder import RunFolder
from i2i.training import checkpoint as checkpoints
from i2i.training.trainer import Trainer

MAY_CHANGE = (
    "name",
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

RECORDED = re.compile(r"optimizer\.(\w+\.)?(lr|clip_norm)")
"""Keys that may change, with which a training that diverged can go on; each change is recorded."""

LENGTH = ("train.epochs", "train.max_steps")
"""Keys that set the length of the training, on which the learning rates of a schedule depend."""


@dataclass(frozen=True)
class Resumed:
    """What a run resumes from.

    Args:
        notes: What the user should know, one line each.
        changes: Every change of a key in `RECORDED` so far, as `environment.json` stores it: the
            step, and the old and new value by key.
    """

    notes: tuple[str, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()


def resume_training(
    trainer: Trainer, folder: RunFolder, fingerprints: Mapping[str, str]
) -> Resumed:
    """Load the newest undamaged checkpoint of a run into the trainer.

    Without a checkpoint the trainer starts from step 0.

    Args:
        trainer: A new trainer.
        folder: The run's folder.
        fingerprints: Fingerprints of the data, by split.

    Raises:
        CheckpointError: If the run was started with another recipe, or all checkpoints are damaged.
        DataError: If the run was started with other data.
    """
    recipe, engine = trainer.recipe, trainer.engine
    saved = load_run_recipe(folder.recipe) if folder.recipe.exists() else recipe
    differing = check_same_recipe(recipe, saved, folder.recipe)
    changes = check_environment(folder, fingerprints)
    if engine.leads:
        checkpoints.clean(folder.checkpoints)
    engine.barrier()
    newest, passed_over = checkpoints.newest(folder.checkpoints)
    if newest is None:
        if passed_over:
            raise CheckpointError(
                f"{folder.path}: no checkpoint can be resumed: {'; '.join(passed_over)}. Start "
                "again (--overwrite), or in another folder (--out)"
            )
        return Resumed(
            (
                f"NOTICE: {folder.path} has no checkpoint: nothing to resume, so the "
                "training starts from the beginning",
            )
        )
    trainer.restore(newest)
    if saved.validation.best != recipe.validation.best:
        trainer.best = None  # values of different metrics can't be compared
    engine.barrier()
    notes = [f"skipped a damaged checkpoint: {reason}" for reason in passed_over]
    if engine.leads:
        for path in checkpoints.set_damaged_aside(folder.checkpoints, newest):
            notes.append(f"the damaged checkpoint is now {path}; delete it when you like")
        best = trainer.best[0] if trainer.best else None
        checkpoints.prune(folder.checkpoints, recipe.checkpoint.keep_last, best)
    recorded = {key: values for key, values in differing.items() if RECORDED.fullmatch(key)}
    if recorded:
        for key, (old, new) in recorded.items():
            notes.append(f"{key} was {old} and is {new} from step {trainer.step + 1} on")
        changes = (*changes, {"step": trainer.step, **recorded})
    return Resumed(tuple(notes), changes)


def check_same_recipe(recipe: Recipe, saved: Recipe, file: Path) -> dict[str, tuple[Any, Any]]:
    """Check that a run resumes with the recipe that it was started with.

    `MAY_CHANGE` and `RECORDED` keys may differ, and `LENGTH` keys if the learning rate is constant.

    Args:
        recipe: The recipe to resume with.
        saved: The recipe in the run's folder.
        file: Its file, for the message.

    Returns:
        The old and new values of the keys that differ; None if not set.

    Raises:
        CheckpointError: If another key differs; the message lists all of them.
    """
    before = dict(_flat(saved.model_dump(mode="json", exclude_none=True)))
    now = dict(_flat(recipe.model_dump(mode="json", exclude_none=True)))
    changed = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    length = [key for key in changed if key in LENGTH]
    unused = ("discriminator.",) if is_played_alone(recipe) else ()
    allowed = (*MAY_CHANGE, *LENGTH, *unused)
    others = [key for key in changed if not key.startswith(allowed) and not RECORDED.fullmatch(key)]

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
    return {key: (before.get(key), now.get(key)) for key in changed}


def check_environment(
    folder: RunFolder, fingerprints: Mapping[str, str]
) -> tuple[dict[str, Any], ...]:
    """Check that a run resumes with the data that it was started with.

    Args:
        folder: The run's folder; without an `environment.json` nothing is checked.
        fingerprints: Fingerprints of the data, by split.

    Returns:
        The changes that `environment.json` records, see `Resumed`.

    Raises:
        DataError: If splits differ; the message names them.
    """
    if not folder.environment.exists():
        return ()
    environment = folder.read_environment()
    before = environment["data"]["fingerprint"]
    differing = [split for split, print_ in fingerprints.items() if before.get(split) != print_]
    if differing:
        raise DataError(
            [
                f"{folder.environment}: the run was started with other data: the pairs of "
                f"{', '.join(differing)} have changed. Start another run (--out, --overwrite)"
            ]
        )
    return tuple(environment.get("changes", ()))


def _flat(table: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested dicts and lists, with its dotted path."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
