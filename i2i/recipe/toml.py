"""Parsing of TOML, within the limits that a recipe needs."""

import tomllib
from collections.abc import Mapping
from typing import Any

DEEPEST = 32
"""Largest number of tables and lists inside each other."""

_BOM = "\ufeff"


class OutOfBounds(ValueError):
    """TOML that is valid, but too deep or with values that no recipe can have.

    Args:
        reason: What is wrong.
        path: The path of the key; empty if it is not known.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        super().__init__(f"{path}: {reason}" if path else reason)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML document; a byte order mark at its start is skipped, dates are texts.

    Raises:
        TOMLDecodeError: If it is not valid TOML.
        OutOfBounds: As `check_bounds`.
    """
    try:
        document = tomllib.loads(text.removeprefix(_BOM))
    except RecursionError as error:
        raise _too_deep() from error
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # Python converts no decimal numbers of more than 4,300 digits.
        raise OutOfBounds("a whole number has more than 64 bits") from error
    check_bounds(document)
    parsed: dict[str, Any] = plain(document)
    return parsed


def plain(value: Any) -> Any:
    """A copy of tables and lists in which all but numbers, flags and texts is its text.

    No key of a recipe takes a date or a time: `name = 2020-02-02` means the text.
    """
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def check_bounds(document: Mapping[str, Any]) -> None:
    """Check a parsed document: its depth, its whole numbers and its texts.

    Raises:
        OutOfBounds: If it is nested more than `DEEPEST` deep, a whole number has more than the 64
            bits that TOML guarantees, or a text is not Unicode.
    """
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(DEEPEST + 1):
        if not level:
            return
        level = [inner for path, value in level for inner in _inner(path, value)]
    raise _too_deep()


def _inner(path: str, value: Any) -> list[tuple[str, Any]]:
    """The values in a table or list with their paths; checks all others."""
    if isinstance(value, Mapping):
        for key in value:
            _check(path, key)
        return [(f"{path}.{key}".lstrip("."), inner) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [(f"{path}.{i}".lstrip("."), inner) for i, inner in enumerate(value)]
    _check(path, value)
    return []


def _check(path: str, value: Any) -> None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise OutOfBounds("a whole number has more than 64 bits", path)
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise OutOfBounds("a text is not valid Unicode", path)


def _too_deep() -> OutOfBounds:
    return OutOfBounds(f"tables and lists are nested more than {DEEPEST} deep")
