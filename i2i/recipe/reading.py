"""From a TOML file and `--set` overrides to a checked recipe."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from i2i.errors import PluginError, RecipeError
from i2i.plugins.build import complete, schema, validate
from i2i.plugins.manager import registry
from i2i.recipe.component import Component, component_sections
from i2i.recipe.metrics import parse_metric, toml_value
from i2i.recipe.problems import Problem, problems
from i2i.recipe.schema import Recipe
from i2i.recipe.upgrade import upgrade

R = TypeVar("R", bound=Recipe)


@overload
def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe: ...
@overload
def load_recipe(path: Path | str, overrides: Sequence[str], model: type[R]) -> R: ...
def load_recipe(
    path: Path | str, overrides: Sequence[str] = (), model: type[Recipe] = Recipe
) -> Recipe:
    """Read a recipe file, change it by overrides and check all of it.

    Args:
        path: The TOML file.
        overrides: Each `section.key=value`, the value in TOML; what isn't TOML is taken as text.
        model: What it may say; `Recipe`, or a recipe with more sections.

    Returns:
        The recipe with every default written out, the components' own included.

    Raises:
        RecipeError: With every problem at once, each with its path and the nearest right name.
    """
    return parse_recipe(read_toml(path), overrides, source=str(path), model=model)


def read_toml(path: Path | str) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        RecipeError: If it can't be read, or isn't TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError([f"{path}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError([f"{path}: can't be read: {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([f"{path}: not valid TOML: {error}"]) from error


@overload
def parse_recipe(
    document: Mapping[str, Any], overrides: Sequence[str] = (), *, source: str = ...
) -> Recipe: ...
@overload
def parse_recipe(
    document: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = ...,
    model: type[R],
) -> R: ...
def parse_recipe(
    document: Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    source: str = "recipe",
    model: type[Recipe] = Recipe,
) -> Recipe:
    """Check a recipe given as the dictionary that its TOML reads as; see `load_recipe`."""
    content = deepcopy(dict(document))
    found = [problem for text in overrides for problem in _override(content, text)]
    upgrade(content, set(model.model_fields), warn=True)
    return _checked(content, found, source, model)


def load_run_recipe(path: Path) -> Recipe:
    """Read the recipe of a run's folder, written by this version or an earlier one.

    Raises:
        RecipeError: If it can't be read, or names what isn't installed.
    """
    return parse_run_recipe(read_toml(path), source=str(path))


def parse_run_recipe(document: Mapping[str, Any], *, source: str) -> Recipe:
    """Check a resolved recipe of this version or an earlier one; what has come since is filled in.

    Raises:
        RecipeError: As `load_recipe`.
    """
    content = deepcopy(dict(document))
    upgrade(content, set(Recipe.model_fields), warn=False)
    return _checked(content, [], source, Recipe)


def _checked(
    content: dict[str, Any], found: list[Problem], source: str, model: type[Recipe]
) -> Recipe:
    add_default_types(content)
    recipe = None
    try:
        recipe = validate(model, content)
    except ValidationError as error:
        found += problems(error, model, content)
    found += _component_problems(content)
    if recipe is None or found:
        raise RecipeError([f"{source}: {problem}" for problem in found])
    return _completed(recipe)


def resolved_recipe(text: str, *, source: str) -> Recipe:
    """Read a recipe as `Recipe.to_toml` wrote it, into a run or a model file.

    It was checked whole then. Its components aren't looked up again: whoever uses a model needs its
    generator, not the losses and metrics of its training.

    Raises:
        RecipeError: If it is no resolved recipe.
    """
    try:
        content = tomllib.loads(text)
        upgrade(content, set(Recipe.model_fields), warn=False)
        return validate(Recipe, content)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([f"{source}: not valid TOML: {error}"]) from error
    except ValidationError as error:
        found = problems(error, Recipe, content)
        raise RecipeError([f"{source}: {problem}" for problem in found]) from error


def _override(document: dict[str, Any], text: str) -> list[Problem]:
    """Put one `section.key=value` into the document; what is wrong with it, if anything is."""
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        return [Problem("--set", f"'{text}' is not of the form section.key=value")]
    parsed = toml_value(value)
    at: Any = document
    for depth, key in enumerate(keys):
        where = ".".join(keys[: depth + 1])
        place: str | int = key
        if isinstance(at, list):
            if not key.isdecimal() or int(key) >= len(at):
                return [Problem(where, f"--set names an item that isn't there; it has {len(at)}")]
            place = int(key)
        elif not isinstance(at, dict):
            return [Problem(where, "--set goes into a value that has no keys")]
        if depth == len(keys) - 1:
            at[place] = parsed
        else:
            at = at.setdefault(key, {}) if isinstance(at, dict) else at[place]
    return []


def add_default_types(document: dict[str, Any]) -> None:
    """Write the default component's name into each section without one: its keys are that one's."""
    for name, field in Recipe.model_fields.items():
        section = document.get(name)
        if isinstance(field.default, Component) and isinstance(section, dict):
            section.setdefault("type", field.default.type)


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, type[Component], Any]]:
    """Every section that names a component: its path, model and raw content."""
    for name, model in component_sections(Recipe).items():
        if name in document:
            yield from _section(name, model, document[name])


def _section(
    path: str, model: type[Component], content: Any
) -> Iterator[tuple[str, type[Component], Any]]:
    for i, item in enumerate(content) if isinstance(content, list) else ():
        yield from _section(f"{path}.{i}", model, item)
    if isinstance(content, dict):
        yield path, model, content
        for name, inner in component_sections(model).items():
            if name in content:
                yield from _section(f"{path}.{name}", inner, content[name])


def _component_problems(document: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the component sections' own keywords, and with names of metrics."""
    found = []
    for path, model, section in _sections(document):
        if not isinstance(section.get("type"), str):
            continue  # the section's model has said so
        options = {key: value for key, value in section.items() if key not in model.model_fields}
        try:
            entry = registry().get(model.kind, section["type"])
            complete(entry, options)
        except PluginError as error:
            found.append(Problem(f"{path}.type", str(error)))
        except ValidationError as error:
            found += problems(error, schema(entry), options, path=path, extra=model.model_fields)
    for section in ("validation", "eval"):
        table = document.get(section)
        names = table.get("metrics") if isinstance(table, dict) else None
        for i, text in enumerate(names if isinstance(names, list) else ()):
            if isinstance(text, str):
                found += metric_problems(text, f"{section}.metrics.{i}")
    return found


def metric_problems(text: str, path: str) -> list[Problem]:
    """What is wrong with a metric's name or options, told under a path."""
    try:
        name, options = parse_metric(text)
        entry = registry().get("metric", name)
        complete(entry, options)
    except ValidationError as error:
        return problems(error, schema(entry), options, path=path)
    except (PluginError, ValueError) as error:
        return [Problem(path, str(error))]
    return []


def _completed(recipe: Recipe) -> Recipe:
    """The recipe with the components' own defaults written out."""
    return recipe.model_copy(
        update={
            name: tuple(map(_full, value)) if isinstance(value, tuple) else _full(value)
            for name in component_sections(Recipe)
            if (value := getattr(recipe, name))
        }
    )


def _full(section: Component) -> Component:
    inner = {
        name: _full(value)
        for name in component_sections(type(section))
        if (value := getattr(section, name)) is not None
    }
    own = complete(registry().get(section.kind, section.type), section.options)
    return section.model_copy(update=own | inner)
