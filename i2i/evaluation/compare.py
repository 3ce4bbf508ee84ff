"""Compares the results of several evaluations that were measured in the same way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from i2i.errors import I2IError
from i2i.evaluation.document import read_document
from i2i.evaluation.results import flat, value_in
from i2i.run_folder import RunFolder


@dataclass(frozen=True)
class Comparison:
    """The metrics that several evaluations have in common.

    Args:
        names: The evaluations.
        rows: By the label of each metric, its details in every evaluation, in the order of `names`.
        best: By the label of each metric, the indices of the best evaluations; empty if all values
            are equal, or one is not finite.
        differing: Differences between fingerprints that `despite` allowed, as sentences.
    """

    names: tuple[str, ...]
    rows: dict[str, list[dict[str, Any]]]
    best: dict[str, list[int]]
    differing: tuple[str, ...]


def compare(targets: Sequence[Path], despite: Sequence[str] = ()) -> Comparison:
    """Compare the results of several evaluations.

    Args:
        targets: Runs, folders that `i2i eval` has measured, or `metrics.json` files; at least two.
        despite: Fingerprint keys that may differ, such as `versions`.

    Raises:
        I2IError: If an evaluation has no results, if they have no metric in common, or if their
            fingerprints differ. The message lists all differences.
    """
    names = tuple(str(target) for target in targets)
    found = [_details(target) for target in targets]
    shared = [label for label in found[0] if all(label in each for each in found)]
    if not shared:
        have = "; ".join(f"{n} has {', '.join(f)}" for n, f in zip(names, found, strict=True))
        raise I2IError(f"the evaluations have no metric in common: {have}")
    rows = {label: [each[label] for each in found] for label in shared}
    differences = [
        (key, f"{label}: {key} is {first} in {names[0]}, but {other} in {names[i]}")
        for label, details in rows.items()
        for i, each in enumerate(details)
        for key, first, other in _differences(details[0]["fingerprint"], each["fingerprint"])
    ]
    refused = [words for key, words in differences if key.partition(".")[0] not in despite]
    if refused:
        raise I2IError(
            "these values can't be compared because they were measured differently:",
            *(f"  {words}" for words in refused),
            "Measure all of them in the same way, or allow these differences with --despite "
            + " --despite ".join(
                dict.fromkeys(
                    key.partition(".")[0] for key, words in differences if words in refused
                )
            ),
        )
    best = {label: _best(details) for label, details in rows.items()}
    return Comparison(names, rows, best, tuple(words for _, words in differences))


def _details(target: Path) -> dict[str, dict[str, Any]]:
    """Read the details of all metrics that have a value in an evaluation, by label."""
    candidates = (target, RunFolder(target).evaluation / "metrics.json", target / "metrics.json")
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        against = "" if RunFolder(target).recipe.is_file() else " --against FOLDER"
        raise I2IError(
            f"{target}: hasn't been measured; run: i2i eval {target}{against} --metric NAME"
        )
    details = read_document(path)["details"]
    found = {each["label"]: each for each in details.values() if "fingerprint" in each}
    if not found:
        raise I2IError(f"{path}: contains no metric values")
    return found


def _differences(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    first, second = dict(flat(one)), dict(flat(other))
    for key in dict.fromkeys([*first, *second]):
        if first.get(key) != second.get(key):
            yield key, first.get(key), second.get(key)


def _best(details: Sequence[Mapping[str, Any]]) -> list[int]:
    values = [value_in(each) for each in details]
    finite = [value for value in values if value is not None and isfinite(value)]
    if len(finite) < len(values) or len(set(finite)) == 1:
        return []
    top = max(finite) if details[0]["higher_is_better"] else min(finite)
    return [i for i, value in enumerate(values) if value == top]
