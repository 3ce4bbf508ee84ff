"""Whether a run may go on: with the same recipe, on the same data."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from i2i.errors import CheckpointError, DataError
from i2i.recipe import Recipe, load_recipe

MAY_CHANGE = (
    "train.epochs",
    "train.max_steps",
    "train.device",
    "train.workers",
    "checkpoint.",
    "segmenter.",
    "log.",
    "eval.",
    "test.",
    "data.root",
)
"""Keys that don't change what the steps so far have computed; `[test]` only reads the weights."""


def check_same_recipe(recipe: Recipe, saved: Path) -> None:
    """Check that a run goes on with the recipe it was begun with.

    Raises:
        CheckpointError: With every key that differs, but for those that may.
    """
    before = dict(_flat(load_recipe(saved).model_dump(mode="json", exclude_none=True)))
    now = dict(_flat(recipe.model_dump(mode="json", exclude_none=True)))
    differing = [
        f"{key} was {before.get(key, 'not set')!r} and is {now.get(key, 'not set')!r}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not key.startswith(MAY_CHANGE)
    ]
    if differing:
        raise CheckpointError(
            f"{saved}: the run was begun with another recipe: {'; '.join(differing)}. "
            "Go on with that one, or begin another run (--out, --overwrite)"
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
