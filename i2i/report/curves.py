"""Line plots as SVG."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

FEW = 20
"""Lines with fewer points than this get a marker at each point."""


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Args:
        points: Its points `(x, y)`; a NaN y makes a gap.
        colour: A matplotlib colour.
        style: `-`, `--`, `:` or `-.`.
    """

    points: Sequence[tuple[float, float]]
    colour: str = "#2f6fde"
    style: str = "-"


def plot(title: str, lines: Sequence[Line], *, across: str = "step", log: bool = False) -> str:
    """Draw lines into one plot and return it as SVG.

    Args:
        title: The title above the plot.
        lines: The lines; later ones are drawn over earlier ones.
        across: The label of the x axis.
        log: Whether the y axis is logarithmic.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 2.4), layout="constrained")
        axes = figure.subplots()
        for line in lines:
            marker = "o" if len(line.points) < FEW else ""
            x, y = zip(*line.points, strict=True)
            axes.plot(x, y, line.style, color=line.colour, marker=marker, markersize=3)
        axes.set_title(title, loc="left")
        axes.set_xlabel(across)
        axes.locator_params(axis="x", nbins=6)
        if log:
            axes.set_yscale("log")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def curves(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Draw one SVG per loss and per validation metric from the lines of metrics.jsonl.

    A value that is not finite makes a gap.
    """
    series: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        for name, value in line.get("losses", {}).items():
            series.setdefault(f"loss {name}", []).append((line["step"], value))
        for name, value in line.get("validation", {}).items():
            shown = math.nan if value is None else value
            series.setdefault(f"validation {name}", []).append((line["step"], shown))
    return [plot(title, [Line(points)]) for title, points in series.items()]
