"""Curves over training steps, as SVG."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

_STYLE: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "i2i",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.3,
}


def curves(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """One SVG for each loss, and for each validation metric, from the lines of metrics.jsonl."""
    series: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.get("losses", {}).items():
            series.setdefault(f"loss {name}", []).append((line["step"], value))
        for name, value in line.get("validation", {}).items():
            series.setdefault(f"validation {name}", []).append((line["step"], value))
    return [_curve(title, points) for title, points in series.items()]


def _curve(title: str, points: Sequence[tuple[int, float]]) -> str:
    with rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 2.4), layout="constrained")
        axes = figure.subplots()
        marker = "o" if len(points) < 20 else ""
        axes.plot(*zip(*points, strict=True), color="#2f6fde", marker=marker, markersize=3)
        axes.set_title(title, loc="left")
        axes.set_xlabel("step")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
