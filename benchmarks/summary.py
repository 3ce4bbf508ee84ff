"""What is told of repeated measurements."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float]:
    """How much less ours are, round by round: above 1 where i2i is better."""
    return summary([p / o for o, p in zip(ours, peer, strict=True)])


def comparison(what: str, ours: Sequence[float], peer: Sequence[float]) -> dict[str, Any]:
    """Two contestants that were measured in turn.

    Args:
        what: What was measured.
        ours: Of i2i, one a round; less is better: seconds or MiB.
        peer: Of the other.
    """
    return {
        "what": what,
        "ours": summary(ours),
        "peer": summary(peer),
        "ratio": ratios(ours, peer),
    }


def spread(values: Mapping[str, float], digits: int = 2) -> str:
    """A median with the smallest and the largest."""
    median, least, most = (f"{values[key]:.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} to {most})"
