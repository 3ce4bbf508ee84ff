"""Parsing of metric names with options: `fid`, or `fid:preset=tf1,seed=1`."""

import tomllib
from typing import Any

from i2i.recipe.toml import parse_toml


def parse_metric(text: str) -> tuple[str, dict[str, Any]]:
    """Split `name:key=value,…` into the metric's name and its options.

    Raises:
        ValueError: If an option isn't of the form key=value.
    """
    name, _, given = text.partition(":")
    options: dict[str, Any] = {}
    for item in given.split(",") if given else ():
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"'{item}' is not of the form option=value, as in fid:preset=tf1")
        options[key.strip()] = toml_value(value.strip())
    return name.strip(), options


def toml_value(text: str) -> Any:
    """Parse a TOML value; return the text itself if it is not valid TOML.

    Raises:
        OutOfBounds: As `parse_toml`.
    """
    try:
        return parse_toml(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
