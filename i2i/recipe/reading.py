"""Reading of recipes: TOML files and `--set` overrides, fully checked."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from i2i.errors import PluginError, RecipeError
from i2i.plugins.build import complete, schema, validate
from i2i.plugins.manager import registry
from i2i.recipe.component import Component, component_sections
from i2i.recipe.metrics import parse_metric, toml_value
from i2i.recipe.paths import make_absolute
from i2i.recipe.problems import Problem, problems, shortened
from i2i.recipe.schema import Recipe
from i2i.recipe.toml import DEEPEST, OutOfBounds, check_bounds, parse_toml, plain
from i2i.recipe.upgrade import upgrade

R = TypeVar("R", bound=Recipe)


@overload
def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe: ...
@overload
def load_recipe(path: Path | str, overrides: Sequence[str], model: type[R]) -> R: ...
def load_recipe(
    path: Path | str, overrides: Sequence[str] = (), model: type[Recipe] = Recipe
) -> Recipe:
    """Read a recipe file, apply overrides and check the result.

    Args:
        path: The TOML file. Relative paths of the data set start at its folder.
        overrides: `section.key=value` texts. The value is TOML; if it is not valid TOML, it is
            taken as plain text. Relative paths start at the working folder.
        model: `Recipe`, or a subclass with more sections.

    Returns:
        The recipe with all defaults written out, including those of the components.

    Raises:
        RecipeError: If anything is wrong. It lists all problems, each with the path of its key and
            the nearest valid name.
    """
    return parse_recipe(read_recipe(path), overrides, source=str(path), model=model)


def read_recipe(path: Path | str) -> dict[str, Any]:
    """Read a recipe's file as TOML; paths of its data set start at its folder.

    Raises:
        RecipeError: If it can't be read, or isn't valid TOML.
    """
    document = read_toml(path)
    make_absolute(document, str(path), Path(path).parent)
    return document


def read_toml(path: Path | str) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        RecipeError: If it can't be read, or isn't valid TOML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError([f"{path}: there is no such file"]) from None
    except UnicodeDecodeError as error:
        raise RecipeError([f"{path}: is not UTF-8 text; save it as UTF-8"]) from error
    except OSError as error:
        raise RecipeError([f"{path}: can't be read: {error.strerror}"]) from error
    return parsed(text, str(path))


def parsed(text: str, source: str) -> dict[str, Any]:
    """Parse TOML; raise RecipeError, which names the source, if it isn't valid."""
    try:
        return parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError([f"{source}: not valid TOML: {error}"]) from error
    except OutOfBounds as error:
        raise RecipeError([f"{source}: {error}"]) from error


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
    """Check a recipe given as the content of its TOML file; see `load_recipe`.

    Args:
        document: The content. Relative paths start at the working folder.
        overrides: As in `load_recipe`.
        source: Name of the recipe in error messages.
        model: As in `load_recipe`.
    """
    try:
        check_bounds(document)
    except OutOfBounds as error:
        raise RecipeError([f"{source}: {error}"]) from error
    content = plain(document)
    found = [problem for text in overrides for problem in _override(content, text)]
    upgrade(content, set(model.model_fields), warn=True)
    make_absolute(content, source)
    return checked(content, found, source, model)


def checked(
    content: dict[str, Any], found: list[Problem], source: str, model: type[Recipe]
) -> Recipe:
    """Check the content of a recipe, in which problems were found already, and complete it.

    Raises:
        RecipeError: If there are any problems; it lists all of them.
    """
    _add_method_defaults(content)
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


def _override(document: dict[str, Any], text: str) -> list[Problem]:
    """Apply one `section.key=value` override to the document; return problems with it, if any."""
    path, equals, value = text.removeprefix("\ufeff").partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        return [Problem("--set", f"'{shortened(text)}' is not of the form section.key=value")]
    if len(keys) > DEEPEST:
        return [Problem("--set", f"'{shortened(path)}' has more than {DEEPEST} parts")]
    try:
        parsed = toml_value(value)
        check_bounds({path: parsed})
    except OutOfBounds as error:
        return [Problem(path, f"--set: {error.reason}")]
    table: Any = document
    for depth, key in enumerate(keys):
        key_path = ".".join(keys[: depth + 1])
        index: str | int = key
        if isinstance(table, list):
            if not key.isdecimal() or len(key) > 9 or int(key) >= len(table):
                return [
                    Problem(key_path, f"--set: there is no such item; the list has {len(table)}")
                ]
            index = int(key)
        elif not isinstance(table, dict):
            return [Problem(key_path, "--set: the value before this key is not a table")]
        if depth == len(keys) - 1:
            table[index] = parsed
        else:
            table = table.setdefault(key, {}) if isinstance(table, dict) else table[index]
    return []


def _add_method_defaults(document: dict[str, Any]) -> None:
    """Add the defaults of the recipe's method to sections that leave these keys out."""
    method = document.get("method", {})
    default = Recipe.model_fields["method"].default.type
    name = method.get("type", default) if isinstance(method, dict) else None
    try:
        loaded = registry().get("method", name).load() if isinstance(name, str) else None
    except PluginError:
        return  # the check of the section reports it
    for section, defaults in getattr(loaded, "defaults", {}).items():
        own = document.setdefault(section, {})
        if isinstance(own, dict) and own.get("type") in (None, defaults.get("type")):
            document[section] = {**defaults, **own}


def add_default_types(document: dict[str, Any]) -> None:
    """Add the default `type` to sections without one; their keys are options of that component."""
    for name, field in Recipe.model_fields.items():
        section = document.get(name)
        if isinstance(field.default, Component) and isinstance(section, dict):
            section.setdefault("type", field.default.type)


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, type[Component], Any]]:
    """Every section that chooses a component: its path, model and raw content."""
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
    """Problems with the names and options of components and metrics."""
    found = []
    for path, model, section in _sections(document):
        if not isinstance(section.get("type"), str):
            continue  # validation of the section reports this
        options = {key: value for key, value in section.items() if key not in model.model_fields}
        try:
            entry = registry().chosen(model.kind, section["type"])
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
    """Problems with a metric's name or options; `path` is their path in the messages."""
    try:
        name, options = parse_metric(text)
        entry = registry().chosen("metric", name)
        complete(entry, options)
    except ValidationError as error:
        return problems(error, schema(entry), options, path=path)
    except (PluginError, ValueError) as error:
        return [Problem(path, str(error))]
    return []


def _completed(recipe: Recipe) -> Recipe:
    """The recipe with the defaults of all components written out."""
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
