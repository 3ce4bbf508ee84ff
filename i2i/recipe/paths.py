"""Paths in a recipe's data set: where they start, and recipes without them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from i2i.errors import PluginError, RecipeError
from i2i.plugins.manager import registry
from i2i.plugins.signature import options
from i2i.recipe.component import Data
from i2i.recipe.schema import Recipe
from i2i.system.deprecation import deprecate
from i2i.system.files import is_utf8, with_home

R = TypeVar("R", bound=Recipe)


def make_absolute(document: dict[str, Any], source: str, home: Path | None = None) -> None:
    """Make the paths of a recipe's data set absolute, in place; `~` is the user's home.

    Args:
        document: The content of the recipe's file.
        source: Name of the recipe in error messages.
        home: The folder that relative paths start from: that of the recipe's file, or None for the
            working folder. A path that is not there is looked for in the working folder, as
            version 0.1 did.

    Raises:
        RecipeError: If a path has bytes that are not UTF-8, which TOML can't store.
    """
    data = document.get("data")
    if not isinstance(data, dict):
        return
    for key in path_keys(data):
        if isinstance(data.get(key), str):
            try:
                data[key] = _absolute(data[key], home, f"data.{key}")
            except ValueError as error:
                raise RecipeError([f"{source}: data.{key}: {error}"]) from error


def without_paths(recipe: R) -> R:
    """The same recipe without the paths of its data set, for files that leave the machine."""
    data = recipe.data.model_dump(mode="json")
    kept = {key: value for key, value in data.items() if key not in path_keys(data)}
    return recipe.model_copy(update={"data": Data.model_validate(kept)})


def path_keys(data: Mapping[str, Any]) -> list[str]:
    """The keys of a data set that are paths; none if its type is unknown."""
    try:
        dataset = registry().get("dataset", str(data.get("type"))).load()
        own = options(dataset, "dataset")
    except PluginError:
        return []
    return [o.name for o in own if Path in (o.annotation, *get_args(o.annotation))]


def _absolute(text: str, home: Path | None, key: str) -> str:
    path = with_home(text)
    places = [path] if home is None else [home / path, path]
    try:
        found = next((place for place in places if place.exists()), places[0])
    except OSError as error:
        raise ValueError(f"'{text[:100]}': {error.strerror}") from error
    if found is not places[0]:
        deprecate(
            f"{key} = '{text}' relative to the working folder",
            "paths in a recipe start at the folder of its file",
            removed_in="0.4",
        )
    for form in (found.absolute(), Path(os.path.relpath(found))):
        if is_utf8(form):
            return str(form)
    raise ValueError(f"{found} is not UTF-8, which recipes are: rename the folder")
