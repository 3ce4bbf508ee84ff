"""Reading of recipes that i2i wrote: those of runs, model files and records, of any version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from i2i.errors import RecipeError
from i2i.plugins.build import validate
from i2i.recipe.problems import problems
from i2i.recipe.reading import checked, parsed, read_toml
from i2i.recipe.schema import Recipe
from i2i.recipe.toml import plain
from i2i.recipe.upgrade import upgrade


def load_run_recipe(path: Path) -> Recipe:
    """Read the recipe in a run's folder, written by this version or an earlier one.

    Raises:
        RecipeError: If it is damaged, or a component is not installed.
    """
    return parse_run_recipe(_read_run_toml(path), source=str(path))


def load_resolved_recipe(path: Path) -> Recipe:
    """Read the recipe in a run's folder as `resolved_recipe` does.

    Raises:
        RecipeError: If it is damaged.
    """
    return _resolved(_read_run_toml(path), source=str(path))


def _read_run_toml(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except RecipeError as error:
        remedy = "delete it: 'i2i run RECIPE --resume' writes it again"
        raise RecipeError([f"{problem}: {remedy}" for problem in error.problems]) from error


def parse_run_recipe(document: Mapping[str, Any], *, source: str) -> Recipe:
    """Check a resolved recipe of this version or an earlier one; add defaults of newer keys.

    Raises:
        RecipeError: As `load_recipe`.
    """
    content = plain(document)
    upgrade(content, set(Recipe.model_fields), warn=False)
    return checked(content, [], source, Recipe)


def resolved_recipe(text: str, *, source: str) -> Recipe:
    """Parse a recipe that `Recipe.to_toml` wrote into a run's folder or a model file.

    It was fully checked when it was written, so its components are not looked up again: to use a
    model, its generator must be installed, but not the losses and metrics of its training.

    Raises:
        RecipeError: If it is not a resolved recipe.
    """
    return _resolved(parsed(text, source), source=source)


def _resolved(content: dict[str, Any], *, source: str) -> Recipe:
    upgrade(content, set(Recipe.model_fields), warn=False)
    try:
        return validate(Recipe, content)
    except ValidationError as error:
        found = problems(error, Recipe, content)
        raise RecipeError([f"{source}: {problem}" for problem in found]) from error
