"""Error messages for recipes: one line per mistake, with the key and the nearest valid name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from i2i.errors import nearest
from i2i.recipe.component import model_in
from i2i.recipe.schema import Recipe

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "dict": "a table of keys",
    "path": "a path",
    "model": "a table of keys",
    "literal": "one of {expected}",
}

_SHOWN = 60
"""Largest number of characters of a value in a message."""

_BOUNDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
}


@dataclass(frozen=True)
class Problem:
    """One mistake in a recipe: the path of the key, and what is wrong with it."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{shortened(self.path, 100)}: {shortened(self.sentence, 1000)}"


def problems(
    error: ValidationError,
    model: type[BaseModel],
    values: Mapping[str, Any],
    *,
    path: str = "",
    extra: Iterable[str] = (),
) -> list[Problem]:
    """Convert a pydantic error to one problem for each invalid key.

    Args:
        error: The error.
        model: The model that the values were validated against.
        values: The values.
        path: The path of the values in the recipe.
        extra: Keys that are valid in addition to the model's fields.
    """
    by_key: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for item in error.errors():
        by_key.setdefault(_location(item, values), []).append(item)
    found = []
    for location, items in by_key.items():
        if any(other[: len(location)] == location for other in by_key if other != location):
            continue  # an error at a key inside this one is more precise
        full_path = ".".join(str(part) for part in ((path,) if path else ()) + location)
        owner, default = _owner(model, location)
        found.append(Problem(full_path, _sentence(items, location, owner, default, extra)))
    return found


def _location(item: ErrorDetails, values: Any) -> tuple[int | str, ...]:
    """The location of an error as keys of the recipe, without the union tags that pydantic adds.

    A missing key has its own path, a missing item of a list the path of the list.
    """
    location: list[int | str] = []
    for i, part in enumerate(item["loc"]):
        if isinstance(values, Mapping) and part in values:
            values = values[str(part)]
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        elif not (_lacks_a_key(item) and i == len(item["loc"]) - 1):
            continue
        location.append(part)
    return tuple(location)


def _lacks_a_key(item: ErrorDetails) -> bool:
    return item["type"] == "missing" and isinstance(item["loc"][-1], str)


def _owner(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[Any, Any]:
    """The model that has the key, and the key's default (None if it has none)."""
    default = None
    for i, part in enumerate(location):
        field = model.model_fields.get(str(part))
        if field is None:
            return model, default
        default = None if field.is_required() else field.default
        if i == len(location) - 1:
            return model, default
        inner = model_in(field.annotation)
        if inner is None:
            return model, default
        model = inner
    return model, default


def _sentence(
    items: list[ErrorDetails],
    location: tuple[int | str, ...],
    owner: type[BaseModel],
    default: Any,
    extra: Iterable[str],
) -> str:
    """The message for all pydantic errors at one key."""
    first = items[0]
    kind, context = first["type"], first.get("ctx", {})
    given, hint = _toml(first["input"]), _default(default)
    mistyped = kind == "model_type" and nearest(str(location[-1]), owner.model_fields) is not None
    if kind == "extra_forbidden" or (mistyped and location[-1] not in owner.model_fields):
        return _unknown_key(str(location[-1]), [*owner.model_fields, *extra])
    if _lacks_a_key(first):
        return f"is required: add '{location[-1]} = …'"
    if kind == "literal_error" and len(items) == 1:
        return _wrong_choice(first, owner, location, default)
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind]} {next(iter(context.values()))}, not {given}{hint}"
    sentences = {
        "value_error": str(context.get("error")),
        "too_short": "needs at least one item",
        "string_too_short": "must not be empty",
        "string_too_long": f"{given} is {_length(first)} characters long; use at most "
        f"{context.get('max_length')}",
        "string_pattern_mismatch": f"{given} doesn't match {context.get('pattern')}{hint}",
        "finite_number": f"must be finite, not {given}{hint}",
    }
    return sentences.get(kind, f"must be {_expected(items)}, not {given}{hint}")


def _expected(items: list[ErrorDetails]) -> str:
    """What would be right, in words."""
    expected = dict.fromkeys(_kind(item) for item in items if item["type"] != "missing")
    missing = [int(item["loc"][-1]) for item in items if item["type"] == "missing"]
    if missing:
        expected |= {f"a list of {max(missing) + 1} items": None}
    return " or ".join(expected)


def _kind(item: ErrorDetails) -> str:
    context = item.get("ctx", {})
    if item["type"] == "too_long":
        return f"a list of {context['max_length']} items"
    known = _EXPECTED.get(item["type"].partition("_")[0])
    return known.format(**context) if known else item["msg"].removeprefix("Input should be ")


def _length(item: ErrorDetails) -> int:
    return len(item["input"]) if isinstance(item["input"], str) else 0


def _unknown_key(key: str, known: list[str]) -> str:
    near = nearest(key, known)
    if near is not None:
        return f"unknown key, did you mean '{near}'? Known: {', '.join(sorted(known))}"
    elsewhere = next(
        (
            f"{section}.{key}"
            for section, field in Recipe.model_fields.items()
            if (inner := model_in(field.annotation)) and key in inner.model_fields
        ),
        None,
    )
    if elsewhere is not None:
        return f"unknown key here, did you mean '{elsewhere}'?"
    return f"unknown key. Known: {', '.join(sorted(known)) or 'none'}"


def _wrong_choice(
    item: ErrorDetails, owner: type[BaseModel], location: tuple[int | str, ...], default: Any
) -> str:
    field = owner.model_fields.get(str(location[-1]))
    choices = [str(choice) for choice in _choices(field.annotation if field else None)]
    near = nearest(str(item["input"]), choices)
    hint = f", did you mean '{near}'?" if near else _default(default)
    return f"must be one of {item['ctx']['expected']}, not {_toml(item['input'])}{hint}"


def _choices(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for argument in get_args(annotation) for choice in _choices(argument)]


def _default(default: Any) -> str:
    if default is None or isinstance(default, BaseModel):
        return ""
    return f"; the default is {_toml(default)}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{shortened(value)}'"
    if isinstance(value, list | tuple):
        return shortened(f"[{', '.join(_toml(item) for item in value)}]")
    return shortened(str(value))


def shortened(text: str, most: int = _SHOWN) -> str:
    """A text for a message: cut if it is long, with escapes for what can't be printed."""
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
