"""Results of an evaluation as metrics.json stores them, with their fingerprints."""

import json
from collections.abc import Mapping
from math import isfinite, isinf
from pathlib import Path
from typing import Any

from i2i.evaluation.collection import Result
from i2i.system.environment import versions
from i2i.system.files import write_whole
from i2i.system.hashing import json_sha256
from i2i.system.text import printable

COMPUTED_WITH = ("i2i", "torch", "numpy", "pillow")
"""Packages whose versions are part of every fingerprint."""


def described(results: Mapping[str, Result], images: Mapping[str, Any]) -> dict[str, Any]:
    """Convert results to the keys `metrics` and `details` of `metrics.json`.

    Args:
        results: Results by the text of each metric in the recipe.
        images: Part of every fingerprint: which target images were used, the size of the images,
            and how many outputs and targets there were.

    Returns:
        `metrics` has the values. `details` has for each metric its label, numbers of images,
        spread, values on bootstrap samples, and its `fingerprint` with the SHA-256. A fingerprint
        has everything that the value depends on, except the outputs. Two values are comparable if
        their fingerprints are equal.
    """
    found = versions()
    common = {**images, "versions": {name: found[name] for name in COMPUTED_WITH}}
    return {
        "metrics": {text: result.value for text, result in results.items()},
        "details": {text: _described(result, common) for text, result in results.items()},
    }


def _described(result: Result, common: Mapping[str, Any]) -> dict[str, Any]:
    about = {"label": result.label, "higher_is_better": result.higher_is_better}
    if result.problem is not None:
        return {**about, "unavailable": "\n".join(map(printable, result.problem.lines))}
    fingerprint = {"metric": result.label, **result.settings, **common}
    return {
        **about,
        "value": result.value,
        **result.details,
        "fingerprint": fingerprint,
        "fingerprint_sha256": json_sha256(fingerprint),
    }


def summary(document: Mapping[str, Any]) -> list[str]:
    """Return a line with all values, and the reason for each unavailable metric."""
    details = document["details"].values()
    values = "  ".join(f"{d['label']} {number(d)}" for d in details if "unavailable" not in d)
    lines = [f"{document['split']}, {document['images']} images: {values}"] if values else []
    for each in details:
        if "unavailable" in each:
            first, *others = each["unavailable"].split("\n")
            lines += [f"{each['label']} is unavailable: {first}", *others]
    return lines


def number(details: Mapping[str, Any]) -> str:
    """Format a value for people, with its standard error and its interval if it has them."""
    value, error = details.get("value"), details.get("standard_error")
    if value is None and "unavailable" in details:
        return "unavailable"
    text = _digits(value) if error is None else f"{_digits(value)} ± {_digits(error)}"
    if "interval" not in details:
        return text
    low, high = details["interval"]
    return f"{text} [{_digits(low)}, {_digits(high)}]"


def _digits(value: float | None) -> str:
    return "∞" if value is None or isinf(value) else f"{value:.4f}"


def counted(details: Mapping[str, Any]) -> str:
    """Format the number of images that a value was computed on: pairs, or outputs / targets."""
    if "pairs" in details:
        return f"{details['pairs']:,}"
    return f"{details['outputs']:,} / {details['targets']:,}" if "outputs" in details else ""


def extras(details: Mapping[str, Any]) -> list[tuple[str, float]]:
    """List the further numbers of a metric, such as a per-class accuracy, by name."""
    shown = ("value", "standard_error", "standard_deviation")
    return [(n, v) for n, v in details.items() if isinstance(v, float) and n not in shown]


def flat(fingerprint: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Flatten a fingerprint to pairs of path and value; a path is such as `versions.torch`."""
    pairs: list[tuple[str, Any]] = []
    for key, value in fingerprint.items():
        if isinstance(value, Mapping):
            pairs += flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write a document as JSON; infinity and NaN become null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, as_json(document))


def as_json(document: Mapping[str, Any]) -> str:
    """Convert a document to JSON; infinity and NaN become null, as JSON has no such numbers."""
    return json.dumps(_without_infinities(document), indent=2) + "\n"


def _without_infinities(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_infinities(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value
