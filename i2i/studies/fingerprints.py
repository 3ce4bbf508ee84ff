"""Whether runs were measured alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from i2i.evaluation.results import flat
from i2i.studies.record import Record


def fingerprint(record: Record, text: str) -> Mapping[str, Any] | None:
    """All that a metric's value depends on but the outputs; None if it wasn't measured."""
    found: Mapping[str, Any] | None = record.evaluation["details"].get(text, {}).get("fingerprint")
    return found


def unlike(records: Sequence[Record], text: str, despite: Sequence[str] = ()) -> list[str]:
    """How the fingerprints of a metric differ from that of the first record, in words.

    Args:
        records: Those that were measured; others are passed over.
        text: The metric.
        despite: Parts that may differ, such as `versions`.
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
