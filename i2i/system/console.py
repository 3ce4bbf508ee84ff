"""Console progress: live bars on a terminal, plain lines at intervals elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from i2i.system.text import shown

if TYPE_CHECKING:
    from rich.console import Console as Terminal


@dataclass(frozen=True)
class Bar:
    """Progress of one piece of work.

    Args:
        label: Name of the work.
        done: Amount done.
        total: Total amount; None if unknown.
        note: Extra text after the bar on a terminal.
        line: The progress as one plain line, printed where there is no terminal.
    """

    label: str
    done: float
    total: float | None
    note: str = ""
    line: str = ""

    @property
    def share(self) -> str:
        """`done/total`, or only `done` if the total is unknown."""
        return f"{self.done:,.0f}" if self.total is None else f"{self.done:,.0f}/{self.total:,.0f}"


class Pace:
    """Speed of a piece of work since this object was created, and the time left.

    Args:
        first: Amount that was done before.
        total: Total amount; None if unknown.
    """

    def __init__(self, first: float, total: float | None) -> None:
        self.total = total
        self._first = first
        self._began = time.monotonic()

    def speed(self, done: float) -> float:
        """The amount done per second."""
        return (done - self._first) / max(time.monotonic() - self._began, 1e-9)

    def left(self, done: float) -> str:
        """The time left, such as `1:05 left`; empty while it is unknown."""
        speed = self.speed(done)
        if self.total is None or speed <= 0:
            return ""
        return f"{duration((self.total - done) / speed)} left"


def duration(seconds: float) -> str:
    """Seconds as `h:mm:ss`, or as `m:ss` below one hour."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Console:
    """Shows the progress of long work: live bars on a terminal, plain lines elsewhere.

    Args:
        every: Seconds between plain lines.
        at_once: Whether to print the first plain line immediately, not after `every` seconds.
        quiet: Whether to print nothing.
    """

    def __init__(self, *, every: float = 10.0, at_once: bool = True, quiet: bool = False) -> None:
        self._every = every
        self._quiet = quiet
        self._bars = _Bars() if sys.stdout.isatty() and not quiet else None
        self._shown = float("-inf") if at_once else time.monotonic()
        self._ended = False

    def say(self, *lines: str) -> None:
        """Print lines; on a terminal they appear above the bars.

        Args:
            lines: The lines; line breaks within one are part of a name and are escaped.
        """
        for line in lines:
            if self._bars is not None:
                self._bars.say(line)
            elif not self._quiet:
                print(shown(line, sys.stdout.encoding), flush=True)  # noqa: T201

    def show(self, whole: Bar, parts: Sequence[Bar] = ()) -> None:
        """Show the progress.

        Args:
            whole: The whole work; when it ends, its plain line is printed immediately.
            parts: The parts that are in progress.
        """
        if self._bars is not None:
            self._bars.show([whole, *parts])
        elif self._due(whole):
            for bar in (whole, *parts):
                self.say(bar.line)

    def close(self) -> None:
        """Restore the terminal; `say` still works afterwards."""
        if self._bars is not None:
            self._bars.close()

    def _due(self, whole: Bar) -> bool:
        now, ended = time.monotonic(), whole.done == whole.total
        due = now - self._shown >= self._every or (ended and not self._ended)
        if due:
            self._shown, self._ended = now, ended
        return due


@contextmanager
def track(
    description: str, total: int | None, unit: str = "images"
) -> Iterator[Callable[[float], None]]:
    """Show the progress of one piece of work: a bar on a terminal, nothing elsewhere.

    Args:
        description: Name of the work.
        total: Total amount; None if unknown.
        unit: Unit of the amount.

    Yields:
        A function that adds to the amount done; any thread may call it.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bars, pace, lock = _Bars(stderr=True), Pace(0, total), threading.Lock()
    done = 0.0

    def advance(more: float) -> None:
        nonlocal done
        with lock:
            done += more
            note = f"{unit}  {pace.speed(done):,.0f}/s  {pace.left(done)}"
            bars.show([Bar(description, done, total, note)])

    try:
        advance(0)
        yield advance
    finally:
        bars.close()


def terminal(*, stderr: bool = False, width: int | None = None) -> "Terminal":
    """A rich console without markup, highlighting and emoji codes, safe for texts with any content.

    Args:
        stderr: Whether to print to standard error.
        width: Number of columns; by default the terminal's.
    """
    from rich.console import Console as Terminal
    from rich.text import Text

    class Safe(Terminal):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(shown(text, self.encoding), **options)

    return Safe(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


class _Bars:
    """Progress bars drawn by rich, one below another.

    Args:
        stderr: Whether to draw on standard error; the bars then disappear at the end.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),  # takes the width that the texts leave
            TextColumn("{task.fields[share]}", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
            console=terminal(stderr=stderr),
            transient=stderr,
            refresh_per_second=4,
        )
        self._tasks: list[Any] = []
        self._progress.start()

    def show(self, bars: Sequence[Bar]) -> None:
        """Draw exactly these bars."""
        while len(self._tasks) > len(bars):
            self._progress.remove_task(self._tasks.pop())
        while len(self._tasks) < len(bars):
            self._tasks.append(self._progress.add_task("", share="", note=""))
        for task, bar in zip(self._tasks, bars, strict=True):
            self._progress.update(
                task,
                description=shown(bar.label, self._progress.console.encoding),
                completed=bar.done,
                total=bar.total,
                share=bar.share,
                note=bar.note,
            )

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text)

    def close(self) -> None:
        """Stop drawing and restore the terminal."""
        self._progress.stop()
