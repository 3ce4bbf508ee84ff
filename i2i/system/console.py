"""What a program tells while it works: bars on a terminal, lines now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as Terminal


@dataclass(frozen=True)
class Bar:
    """How far a piece of work is.

    Args:
        label: What is done.
        done: How much of it is done.
        total: How much there is; None where nobody knows.
        note: What else a terminal shows.
        line: All of it, as it is told elsewhere.
    """

    label: str
    done: float
    total: float | None
    note: str = ""
    line: str = ""

    @property
    def share(self) -> str:
        """Done and in all."""
        return f"{self.done:,.0f}" if self.total is None else f"{self.done:,.0f}/{self.total:,.0f}"


class Pace:
    """How fast a piece of work goes since now, and the time that it takes yet.

    Args:
        first: How much was done before.
        total: How much there is; None where nobody knows.
    """

    def __init__(self, first: float, total: float | None) -> None:
        self.total = total
        self._first = first
        self._began = time.monotonic()

    def speed(self, done: float) -> float:
        """What is done in a second."""
        return (done - self._first) / max(time.monotonic() - self._began, 1e-9)

    def left(self, done: float) -> str:
        """The time left in words; nothing while nobody knows."""
        speed = self.speed(done)
        if self.total is None or speed <= 0:
            return ""
        return f"{duration((self.total - done) / speed)} left"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Console:
    """Where a long piece of work tells how far it is: live on a terminal, else in plain lines.

    Args:
        every: Seconds between lines where there is no terminal.
        at_once: Whether the first line is told at once.
        quiet: Whether to tell nothing.
    """

    def __init__(self, *, every: float = 10.0, at_once: bool = True, quiet: bool = False) -> None:
        self._every = every
        self._quiet = quiet
        self._bars = _Bars() if sys.stdout.isatty() and not quiet else None
        self._shown = float("-inf") if at_once else time.monotonic()
        self._ended = False

    def say(self, text: str) -> None:
        """A line of its own."""
        if self._bars is not None:
            self._bars.say(text)
        elif not self._quiet:
            print(text, flush=True)  # noqa: T201

    def show(self, whole: Bar, parts: Sequence[Bar] = ()) -> None:
        """Show how far the work is.

        Args:
            whole: All of it; in plain lines its end is told at once.
            parts: What is being done at the moment.
        """
        if self._bars is not None:
            self._bars.show([whole, *parts])
        elif self._due(whole):
            for bar in (whole, *parts):
                self.say(bar.line)

    def close(self) -> None:
        """Leave the terminal as it was; lines can be told yet."""
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
    """Show how far a single piece of work is: a bar on a terminal, nothing elsewhere.

    Args:
        description: What is done.
        total: How much there is; None where nobody knows.
        unit: What is counted.

    Yields:
        A function to be told of each advance, by any thread.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bars, pace, changing = _Bars(stderr=True), Pace(0, total), threading.Lock()
    done = 0.0

    def advance(more: float) -> None:
        nonlocal done
        with changing:
            done += more
            note = f"{unit}  {pace.speed(done):,.0f}/s  {pace.left(done)}"
            bars.show([Bar(description, done, total, note)])

    try:
        advance(0)
        yield advance
    finally:
        bars.close()


def terminal(*, stderr: bool = False, width: int | None = None) -> "Terminal":
    """A console of rich that takes all texts as they are.

    Args:
        stderr: Whether it is standard error.
        width: Columns; the terminal's by default.
    """
    from rich.console import Console as Terminal

    return Terminal(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


class _Bars:
    """Progress bars of rich, one below the other.

    Args:
        stderr: Whether they are on standard error; there they vanish at the end.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),  # it gives way to texts
            TextColumn("{task.fields[share]}", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
            console=terminal(stderr=stderr),
            transient=stderr,
            refresh_per_second=4,
        )
        self._tasks: list[Any] = []
        self._progress.start()

    def show(self, bars: Sequence[Bar]) -> None:
        """Show these bars and no others."""
        while len(self._tasks) > len(bars):
            self._progress.remove_task(self._tasks.pop())
        while len(self._tasks) < len(bars):
            self._tasks.append(self._progress.add_task("", share="", note=""))
        for task, bar in zip(self._tasks, bars, strict=True):
            self._progress.update(
                task,
                description=bar.label,
                completed=bar.done,
                total=bar.total,
                share=bar.share,
                note=bar.note,
            )

    def say(self, text: str) -> None:
        """A line above them."""
        self._progress.console.print(text)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()
