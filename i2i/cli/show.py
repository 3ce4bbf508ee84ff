"""`i2i show`."""

import inspect
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click

from i2i.cli.list import kind_named
from i2i.cli.say import say
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.plugins.signature import INJECTED, Option, options
from i2i.recipe.component import Component, model_in
from i2i.recipe.schema import Recipe
from i2i.system.text import printable


@click.command
@click.argument("kind")
@click.argument("name")
def show(kind: str, name: str) -> None:
    """Show the component NAME of a KIND: its plugin, and its options with types and defaults.

    The options are printed as a section of a recipe; every option is a key of that section. 'i2i
    list' shows kinds and names.

    \b
    i2i show generator unet
    i2i show loss cgan
    i2i show metric fid
    """
    entry = registry().get(kind_named(kind), name)
    component = entry.load()
    described = inspect.getdoc(component) or entry.summary
    say(f"{name}, a {entry.kind} of {entry.plugin}", bold=True)
    say(described.partition("\n")[0])
    say(f"{component.__module__}.{component.__qualname__}", "")
    say(*section(entry).split("\n"))
    given = sorted(INJECTED.get(entry.kind, frozenset()))
    if given:
        say("", f"Filled in by the run if the component asks for it: {', '.join(given)}.")


def section(entry: Entry) -> str:
    """The component's section of a recipe: every option with its default and type."""
    if entry.kind == "metric":
        return _in_list(entry)
    rows = [(f'type = "{entry.name}"', "")]
    for option in options(entry.load(), entry.kind):
        default = "…" if _unset(option) else toml(option.default)
        comment = "# " if _unset(option) else ""
        rows.append((f"{comment}{option.name} = {default}", f"# {_note(option)}"))
    return "\n".join([heading_of(entry.kind), *_aligned(rows)])


def heading_of(kind: str) -> str:
    """The heading of the recipe section for components of this kind."""
    for name, field in Recipe.model_fields.items():
        model = model_in(field.annotation)
        if model is not None and issubclass(model, Component) and model.kind == kind:
            return f"[{name}]" if field.annotation is model else f"[[{name}]]"
    raise KeyError(kind)


def _in_list(entry: Entry) -> str:
    """A metric in a recipe's list of metrics, and its options as suffixes of its name."""
    rows = []
    for option in options(entry.load(), entry.kind):
        default = "…" if _unset(option) else toml(option.default).strip('"')
        rows.append((f"# {entry.name}:{option.name}={default}", _note(option)))
    return "\n".join(["[eval]", f'metrics = ["{entry.name}"]', *_aligned(rows)])


def _unset(option: Option) -> bool:
    return option.required or option.default is None


def _note(option: Option) -> str:
    note = type_text(option.annotation)
    if _unset(option):
        note += ", required" if option.required else ", optional"
    return note


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:<{width}}  {right}".rstrip() for left, right in rows]


def toml(value: Any) -> str:
    """A default value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{printable(value)}"' if isinstance(value, str) else str(value)


def type_text(annotation: Any) -> str:
    """A type annotation in plain words: choices, ranges and names of types."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = " ".join(filter(None, (_bounds(extra) for extra in arguments[1:])))
        return f"{type_text(arguments[0])} {bounds}".rstrip()
    if origin is Literal:
        return " | ".join(toml(choice) for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(a) for a in arguments if a is not types.NoneType)
    if origin is tuple:
        return f"list of {', '.join(type_text(a) for a in arguments if a is not Ellipsis)}"
    names = {int: "whole number", float: "number", str: "text", bool: "true | false"}
    if origin is dict:
        return "table"
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def _bounds(extra: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return ", ".join(
        f"{sign} {getattr(extra, name)}"
        for name, sign in signs.items()
        if getattr(extra, name, None) is not None
    )
