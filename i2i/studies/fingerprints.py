"""Comparison of metric fingerprints between runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from i2i.evaluation.results import flat
from i2i.studies.record import Record


def fingerprint(record: Record, text: str) -> Mapping[str, Any] | None:
    """Return a metric's fingerprint: all settings that its value depends on.

    None if the metric wasn't measured.
    """
    found: Mapping[str, Any] | None = record.evaluation["details"].get(text, {}).get("fingerprint")
    return found


def unlike(records: Sequence[Record], text: str, despite: Sequence[str] = ()) -> list[str]:
    """Describe how the fingerprints of a metric differ from that of the first record.

    Args:
        records: Records of runs; those without the metric are skipped.
        text: The metric.
        despite: Parts of the fingerprint that may differ, such as `versions`.
    """
    prints = [
        (record.path.stem, dict(flat(found)))
        for record in records
        if (found := fingerprint(record, text)) is not None
    ]
    words = []
    for name, other in prints[1:]:
        first_name, first = prints[0]
        for key in dict.fromkeys([*first, *other]):
            if first.get(key) != other.get(key) and key.partition(".")[0] not in despite:
                words.append(
                    f"{key} is {first.get(key)} in {first_name}, but {other.get(key)} in {name}"
                )
    return words
