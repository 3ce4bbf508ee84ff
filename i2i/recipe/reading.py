"""From a TOML file and `--set` overrides to a checked recipe."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from i2i.errors import PluginError, RecipeError
from i2i.plugins.build import complete, schema, validate
from i2i.plugins.manager import registry
from i2i.recipe.metrics import parse_metric, toml_value
from i2i.recipe.problems import Problem, problems
from i2i.recipe.schema import Component, Data, Loss, Recipe


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file, change it by overrides and check all of it.

    Args:
        path: The TOML file.
        overrides: Each `section.key=value`, the value in TOML; what isn't TOML is taken as text.

    Returns:
        The recipe with every default written out, the components' own included.

    Raises:
        RecipeError: With every problem at once, each with its path and the nearest right name.
    """
    return parse_recipe(read_toml(path), overrides, source=str(path))


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


def parse_recipe(
    document: Mapping[str, Any], overrides: Sequence[str] = (), *, source: str = "recipe"
) -> Recipe:
    """Check a recipe given as the dictionary that its TOML reads as; see `load_recipe`."""
    content = deepcopy(dict(document))
    found = [problem for text in overrides for problem in _override(content, text)]
    add_default_types(content)
    recipe = None
    try:
        recipe = validate(Recipe, content)
    except ValidationError as error:
        found += problems(error, Recipe, content)
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


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, str, type[Component], Any]]:
    """Every section that names a component: its path, kind, model and raw content."""
    for kind, key in (("dataset", "data"), ("generator", "generator"), ("method", "method")):
        if key in document:
            yield key, kind, Data if kind == "dataset" else Component, document[key]
    if "discriminator" in document:
        yield "discriminator", "discriminator", Component, document["discriminator"]
    losses = document.get("losses")
    for i, loss in enumerate(losses if isinstance(losses, list) else ()):
        yield f"losses.{i}", "loss", Loss, loss
        if isinstance(loss, dict) and "discriminator" in loss:
            yield f"losses.{i}.discriminator", "discriminator", Component, loss["discriminator"]


def _component_problems(document: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the component sections' own keywords, and with names of metrics."""
    found = []
    for path, kind, model, section in _sections(document):
        if not isinstance(section, dict) or not isinstance(section.get("type"), str):
            continue  # the section's model has said so
        options = {key: value for key, value in section.items() if key not in model.model_fields}
        try:
            entry = registry().get(kind, section["type"])
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

    def full(kind: str, section: Any) -> Any:
        values = complete(registry().get(kind, section.type), section.options)
        return section.model_copy(update=values)

    def full_loss(loss: Loss) -> Loss:
        if loss.discriminator is not None:
            own = full("discriminator", loss.discriminator)
            loss = loss.model_copy(update={"discriminator": own})
        return full("loss", loss)  # type: ignore[no-any-return]

    return recipe.model_copy(
        update={
            "data": full("dataset", recipe.data),
            "generator": full("generator", recipe.generator),
            "discriminator": full("discriminator", recipe.discriminator),
            "losses": tuple(full_loss(loss) for loss in recipe.losses),
            "method": full("method", recipe.method),
        }
    )
