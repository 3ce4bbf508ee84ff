"""Summaries of repeated measurements."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest value."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float]:
    """The peer's value divided by ours in each round, summarised; above 1 if i2i is better."""
    return summary([p / o for o, p in zip(ours, peer, strict=True)])


def comparison(what: str, ours: Sequence[float], peer: Sequence[float]) -> dict[str, Any]:
    """Compare two contestants that were measured in turn.

    Args:
        what: What was measured.
        ours: i2i's values, one per round, in seconds or MiB; lower is better.
        peer: The other contestant's values.
    """
    return {
        "what": what,
        "ours": summary(ours),
        "peer": summary(peer),
        "ratio": ratios(ours, peer),
    }


def spread(values: Mapping[str, float], digits: int = 2) -> str:
    """Format a median with the smallest and the largest value."""
    median, least, most = (f"{values[key]:.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} to {most})"
