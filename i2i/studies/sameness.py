"""Comparison of recipes by the keys that affect results, so that nothing is trained twice."""

from typing import Any

from i2i.evaluation.results import flat
from i2i.recipe import Recipe
from i2i.recipe.assemble import is_played_alone
from i2i.recipe.paths import path_keys
from i2i.system.hashing import json_sha256

FREE_KEYS = frozenset(
    {
        "name",
        "data.url",
        "train.workers",
        "test.batch_size",
        "eval.metrics",
        "eval.bootstrap",
    }
)
FREE_SECTIONS = ("checkpoint.", "log.")
"""Keys and sections that affect neither the weights nor the output images; with the keys of the
data set that are paths."""


def what_counts(recipe: Recipe) -> dict[str, Any]:
    """Return the keys of a resolved recipe that its results depend on, with their values."""
    content = recipe.model_dump(mode="json", exclude_none=True)
    if is_played_alone(recipe):
        del content["discriminator"]
    free = FREE_KEYS | {f"data.{key}" for key in path_keys(content["data"])}
    return {
        key: value
        for key, value in flat(content)
        if key not in free and not key.startswith(FREE_SECTIONS)
    }


def digest(recipe: Recipe) -> str:
    """Return a SHA-256 that is equal for recipes that give the same results."""
    return json_sha256(what_counts(recipe))


def differences(before: Recipe, now: Recipe) -> list[str]:
    """Describe the differences between two recipes that affect results."""
    old, new = what_counts(before), what_counts(now)
    return [
        f"{key} was {old.get(key, 'not set')!r} and is {new.get(key, 'not set')!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
