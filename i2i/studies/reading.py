"""Reads a study file and builds a validated recipe for each variant and seed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from i2i.errors import RecipeError, nearest
from i2i.plugins.build import validate
from i2i.recipe.problems import Problem, problems
from i2i.recipe.reading import (
    add_default_types,
    metric_problems,
    parse_recipe,
    read_recipe,
    read_toml,
)
from i2i.recipe.schema import Recipe
from i2i.studies.schema import Study, Variant

ELSEWHERE = {"name": "each run is named after its variant", "seed": "set it in 'seeds'"}
"""Recipe keys that the study sets itself, and where they come from."""


@dataclass(frozen=True)
class Experiment:
    """A study with its validated recipes.

    Args:
        study: The content of the study file.
        recipes: The resolved recipe of every variant and seed.
    """

    study: Study
    recipes: Mapping[tuple[str, int], Recipe]


def load_study(path: Path | str, overrides: Sequence[str] = ()) -> Experiment:
    """Read and validate a study file and the recipe of every variant.

    Args:
        path: The TOML file.
        overrides: Each `section.key=value`, for the recipes of all variants.

    Raises:
        RecipeError: With all problems, each with its path and the nearest valid name.
    """
    path = Path(path)
    study = _read(path)
    found = [f"{path}: {problem}" for problem in _problems(study)]
    try:
        base = read_recipe(path.parent / study.recipe)
    except RecipeError as error:
        raise RecipeError([*found, *(f"{path}: recipe: {p}" for p in error.problems)]) from error
    add_default_types(base)
    common = merged(base, {"eval": {"metrics": list(study.metrics)}}, study.set)
    add_default_types(common)
    recipes: dict[tuple[str, int], Recipe] = {}
    recipe_problems: dict[str, list[str]] = defaultdict(list)
    for variant in study.variants:
        for seed in study.seeds_of(variant):
            own = {"name": f"{variant.slug or 'variant'}-seed{seed}", "seed": seed}
            document = merged(common, variant.set, own)
            try:
                recipes[variant.name, seed] = parse_recipe(document, overrides, source=_SOURCE)
            except RecipeError as error:
                for problem in error.problems:
                    recipe_problems[problem.removeprefix(f"{_SOURCE}: ")].append(variant.name)
    found += [
        f"{path}: {_affected(names, study)}: {problem}"
        for problem, names in recipe_problems.items()
        if not problem.startswith("eval.metrics.")  # reported as the study's `metrics`
    ]
    if found:
        raise RecipeError(found)
    return Experiment(study, recipes)


_SOURCE = "recipe"


def _read(path: Path) -> Study:
    document = read_toml(path)
    try:
        return validate(Study, document)
    except ValidationError as error:
        found = problems(error, Study, document)
        raise RecipeError([f"{path}: {problem}" for problem in found]) from error


def merged(base: Mapping[str, Any], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with changes merged in; tables are merged key by key.

    A table with another `type` configures another component, so it replaces the old table
    completely. Lists and single values are replaced too.
    """
    result = deepcopy(dict(base))
    for change in changes:
        for key, value in change.items():
            before = result.get(key)
            if (
                isinstance(value, Mapping)
                and isinstance(before, dict)
                and _same_type(before, value)
            ):
                result[key] = merged(before, value)
            else:
                result[key] = deepcopy(value)
    return result


def _same_type(before: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
    return "type" not in change or change["type"] == before.get("type")


def _affected(names: Sequence[str], study: Study) -> str:
    """Name the variants whose recipes have a problem."""
    if set(names) == {variant.name for variant in study.variants} and len(study.variants) > 1:
        return "every variant"
    listed = ", ".join(f"'{name}'" for name in dict.fromkeys(names))
    return f"variant {listed}" if len(set(names)) == 1 else f"variants {listed}"


def _problems(study: Study) -> Iterator[Problem]:
    """Find problems between the parts of a study."""
    for i, text in enumerate(study.metrics):
        yield from metric_problems(text, f"metrics.{i}")
    for metric in study.paper:
        yield from _unknown(metric, study.metric_texts, f"paper.{metric}", "metric")
    for path, column in _columns(study):
        yield from _unknown_column(study, column, path)
    for path, table in _sets(study):
        for key in table.keys() & ELSEWHERE.keys():
            yield Problem(f"{path}.{key}", f"can't be set: {ELSEWHERE[key]}")
    for path, items in (("metrics", study.metrics), *_seeds(study)):
        if len(set(items)) < len(items):
            yield Problem(path, "has an entry twice")
    yield from _name_problems(study)
    yield from _ordering_problems(study)


def _ordering_problems(study: Study) -> Iterator[Problem]:
    names = [variant.name for variant in study.variants]
    for i, ordering in enumerate(study.orderings):
        where = f"orderings.{i}"
        yield from _unknown(ordering.metric, study.metric_texts, f"{where}.metric", "metric")
        for side in ("better", "worse"):
            for j, name in enumerate(getattr(ordering, side)):
                yield from _unknown(name, names, f"{where}.{side}.{j}", "variant")
        for name in set(ordering.better) & set(ordering.worse):
            yield Problem(where, f"'{name}' can't be better than itself")


def _columns(study: Study) -> Iterator[tuple[str, str]]:
    """Yield the path and name of every column in the study file."""
    for i, column in enumerate(study.columns):
        yield f"columns.{i}", column
    for i, variant in enumerate(study.variants):
        for column in variant.paper:
            yield f"variants.{i}.paper.{column}", column
    for part in ("details", "paper") if study.ground_truth is not None else ():
        for column in getattr(study.ground_truth, part):
            yield f"ground_truth.{part}.{column}", column


def _seeds(study: Study) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "seeds", study.seeds
    for i, variant in enumerate(study.variants):
        yield f"variants.{i}.seeds", variant.seeds or ()


def _sets(study: Study) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "set", study.set
    for i, variant in enumerate(study.variants):
        yield f"variants.{i}.set", variant.set


def _name_problems(study: Study) -> Iterator[Problem]:
    slugs: dict[str, Variant] = {}
    for i, variant in enumerate(study.variants):
        where = f"variants.{i}"
        if not variant.slug:
            yield Problem(f"{where}.name", f"'{variant.name}' has no letter or digit")
        if (other := slugs.get(variant.slug)) is not None:
            yield Problem(
                f"{where}.name",
                f"'{variant.name}' and '{other.name}' would both be '{variant.slug}' in file names",
            )
        slugs.setdefault(variant.slug, variant)


def _unknown_column(study: Study, column: str, path: str) -> Iterator[Problem]:
    try:
        study.column(column)
    except KeyError:
        yield from _unknown(column.partition(".")[0], study.metric_texts, path, "metric")


def _unknown(name: str, known: Iterable[str], path: str, kind: str) -> Iterator[Problem]:
    names = list(known)
    if name not in names:
        near = nearest(name, names)
        hint = f", did you mean '{near}'?" if near else "."
        yield Problem(path, f"the study has no {kind} '{name}'{hint} It has: {', '.join(names)}")
