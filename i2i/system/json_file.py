"""JSON: writing it so that every program can read it, and reading it with checks."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from i2i.errors import I2IError


def read_json(path: Path, shape: TypeAdapter[Any], remedy: str) -> dict[str, Any]:
    """Read a JSON file that i2i wrote.

    Args:
        path: The file.
        shape: What the document must have; more keys are allowed.
        remedy: What to do about a damaged file, for the message.

    Returns:
        The whole document.

    Raises:
        FileNotFoundError: If the file is missing.
        I2IError: If it can't be read, is not JSON, or is not such a document.
    """
    try:
        return _checked(path.read_bytes(), shape)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise I2IError(f"{path}: is damaged ({_brief(error)}): {remedy}") from error


def parse_json(text: str, shape: TypeAdapter[Any]) -> dict[str, Any] | None:
    """Parse a line of JSON; None if it is damaged."""
    try:
        return _checked(text, shape)
    except (ValueError, RecursionError):
        return None


def json_text(document: Any, *, indent: int | None = None) -> str:
    """Convert a document to JSON; infinity and NaN become null, as JSON has no such numbers."""
    return json.dumps(_finite(document), indent=indent, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _checked(content: str | bytes, shape: TypeAdapter[Any]) -> dict[str, Any]:
    if not content.strip():
        raise ValueError("it is empty")
    document: dict[str, Any] = json.loads(content)
    shape.validate_python(document, strict=True)
    return document


def _brief(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else "it is no object with keys"
    return f"{error}".partition("\n")[0]
