"""How far a study is: a live view on a terminal, lines now and then elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from i2i.studies.plan import Job

PLAIN_EVERY_SECONDS = 30.0

Steps = Mapping[str, tuple[int, int]]
"""Updates done and in all, by the name of the run."""


class Progress(Protocol):
    """Where progress is shown."""

    def show(self, running: Steps) -> None:
        """Show how far the runs at work are."""
        ...

    def say(self, text: str) -> None:
        """A line of its own."""
        ...

    def close(self) -> None:
        """Leave the console as it was."""
        ...


class Pace:
    """Updates of a whole study: done, in all, their speed, and the time left."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self.total = sum(job.total for job in jobs)
        self._before = self.done
        self._began = time.monotonic()

    @property
    def done(self) -> int:
        """Updates done so far."""
        return sum(job.step for job in self._jobs)

    @property
    def speed(self) -> float:
        """Updates a second since the study was started, all runs together."""
        return (self.done - self._before) / max(time.monotonic() - self._began, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds that it takes yet at this speed; None while there is none."""
        return (self.total - self.done) / self.speed if self.speed > 0 else None

    def __str__(self) -> str:
        left = "" if self.left is None else f", {duration(self.left)} left"
        return f"{self.done:,}/{self.total:,} updates, {self.speed:.1f}/s{left}"


class Plain:
    """A line now and then, for logs and pipes."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._pace = Pace(jobs)
        self._shown = time.monotonic()

    def show(self, running: Steps) -> None:
        """Show how far the runs at work are."""
        if time.monotonic() - self._shown < PLAIN_EVERY_SECONDS:
            return
        self._shown = time.monotonic()
        self.say(str(self._pace))
        for name, (step, total) in running.items():
            self.say(f"  {name}: {step:,}/{total:,}")

    def say(self, text: str) -> None:
        """A line of its own."""
        print(text, flush=True)  # noqa: T201

    def close(self) -> None:
        """Leave the console as it was."""


class Silent(Plain):
    """Nothing."""

    def say(self, text: str) -> None:
        """A line of its own."""


class Live:
    """Progress bars of rich: the whole study, and each run at work."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bars

        self._pace = Pace(jobs)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            refresh_per_second=4,
        )
        self._tasks: dict[str, Any] = {}
        self._whole = self._bars.add_task("study", total=self._pace.total, note="")
        self._bars.start()

    def show(self, running: Steps) -> None:
        """Show how far the runs at work are."""
        left = self._pace.left
        note = f"{self._pace.speed:.1f}/s" + ("" if left is None else f"  {duration(left)} left")
        self._bars.update(self._whole, completed=self._pace.done, note=note)
        for name in self._tasks.keys() - running.keys():
            self._bars.remove_task(self._tasks.pop(name))
        for name, (step, total) in running.items():
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(f"  {name}", total=total, note="")
            self._bars.update(self._tasks[name], completed=step)

    def say(self, text: str) -> None:
        """A line of its own."""
        self._bars.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the console as it was."""
        self._bars.stop()


def progress_of(jobs: Sequence[Job], *, quiet: bool) -> Progress:
    """The view that fits where the output goes."""
    if quiet:
        return Silent(jobs)
    return Live(jobs) if sys.stdout.isatty() else Plain(jobs)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
