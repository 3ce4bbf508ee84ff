"""What a training tells: a live line on a terminal, plain lines elsewhere, and files."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from i2i.errors import I2IError
from i2i.system.files import write_whole

PLAIN_EVERY_SECONDS = 10.0


class Console(Protocol):
    """Where progress is shown."""

    def show(self, step: int, epoch: int, losses: Mapping[str, float], rate: float) -> None:
        """Show where the training is; `rate` is in images a second."""
        ...

    def say(self, text: str) -> None:
        """A line of its own."""
        ...

    def close(self) -> None:
        """Leave the console as it was."""
        ...


class LiveConsole:
    """A progress bar of rich with losses, speed and time left."""

    def __init__(self, first: int, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Left

        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TextColumn("{task.fields[rate]:.1f} images/s"),
            Left(),
            refresh_per_second=4,
        )
        self._task = self._progress.add_task(
            "", total=total, completed=first, epoch=1, losses="", rate=0.0
        )
        self._progress.start()

    def show(self, step: int, epoch: int, losses: Mapping[str, float], rate: float) -> None:
        """Show where the training is; `rate` is in images a second."""
        self._progress.update(
            self._task, completed=step, epoch=epoch + 1, losses=_brief(losses), rate=rate
        )

    def say(self, text: str) -> None:
        """A line of its own."""
        self._progress.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the console as it was."""
        self._progress.stop()


class PlainConsole:
    """A line now and then, for logs and pipes."""

    def __init__(self, first: int, total: int) -> None:
        self._total = total
        self._first = first
        self._began = time.monotonic()
        self._shown = float("-inf")

    def show(self, step: int, epoch: int, losses: Mapping[str, float], rate: float) -> None:
        """Show where the training is; `rate` is in images a second."""
        now = time.monotonic()
        if now - self._shown < PLAIN_EVERY_SECONDS and step < self._total:
            return
        self._shown = now
        left = (now - self._began) / max(step - self._first, 1) * (self._total - step)
        self.say(
            f"step {step}/{self._total}  epoch {epoch + 1}  {_brief(losses)}  "
            f"{rate:.1f} images/s  {_duration(left)} left"
        )

    def say(self, text: str) -> None:
        """A line of its own."""
        print(text, flush=True)  # noqa: T201

    def close(self) -> None:
        """Leave the console as it was."""


class SilentConsole(PlainConsole):
    """Nothing, for the ranks that don't lead and for tests."""

    def say(self, text: str) -> None:
        """A line of its own."""


def console(first: int, total: int, *, quiet: bool) -> Console:
    """The console that fits where the output goes."""
    if quiet:
        return SilentConsole(first, total)
    return LiveConsole(first, total) if sys.stdout.isatty() else PlainConsole(first, total)


class Meter:
    """Mean losses, images a second and the share of time spent waiting for data."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = 0
        self._images = 0
        self._seconds = 0.0
        self._waited = 0.0
        self.restart_clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time within as waiting for data."""
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    def restart_clock(self) -> None:
        """Leave out the time since the last step: checkpoints, samples and validation."""
        self._began = time.perf_counter()

    def add(self, losses: Mapping[str, float], images: int) -> None:
        """Count one step."""
        self._seconds += time.perf_counter() - self._began
        self._steps += 1
        self._images += images
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    @property
    def rate(self) -> float:
        """Images a second."""
        return self._images / self._seconds if self._seconds else 0.0

    def take(self) -> dict[str, Any]:
        """The means since the last call."""
        taken = {
            "losses": {name: total / self._steps for name, total in self._sums.items()},
            "images_per_second": self.rate,
            "waiting": self._waited / self._seconds if self._seconds else 0.0,
        }
        self._clear()
        return taken


class MetricsLog:
    """`metrics.jsonl`, one line a logged step, and TensorBoard's files where asked for.

    Args:
        path: The file; None on the ranks that don't lead, which write nothing.
        after: The step a training goes on from; lines of later steps, written by a process that
            was killed, are dropped.
        tensorboard: A folder for event files.
    """

    def __init__(self, path: Path | None, after: int, tensorboard: Path | None = None) -> None:
        self._file = self._board = None
        if path is None:
            return
        kept = [
            line
            for line in (path.read_text().splitlines() if path.exists() else [])
            if _step_of(line) <= after
        ]
        write_whole(path, "".join(f"{line}\n" for line in kept))
        self._file = path.open("a", buffering=1)
        self._board = _tensorboard(tensorboard, after) if tensorboard else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if self._board:
            self._board.close()

    def write(self, step: int, **values: Any) -> None:
        """Add a line: the step, and numbers or tables of numbers."""
        if self._file:
            self._file.write(json.dumps({"step": step, **values}) + "\n")
        if self._board is None:
            return
        for name, value in values.items():
            for key, number in (value if isinstance(value, dict) else {"": value}).items():
                self._board.add_scalar(f"{name}/{key}".rstrip("/"), number, step)


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # the last line of a killed process may be cut


def _tensorboard(folder: Path, after: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise I2IError(
            "log.tensorboard is true, but TensorBoard isn't installed: pip install 'i2i[track]'"
        ) from None
    return SummaryWriter(str(folder), purge_step=after + 1)


def _brief(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in losses.items())


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
