"""What a training tells: how far it is, how fast, and its losses, on a console and in files."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from i2i.errors import I2IError
from i2i.system.console import Bar, Pace
from i2i.system.files import write_whole


def progress(pace: Pace, step: int, epoch: int, losses: Mapping[str, float], rate: float) -> Bar:
    """How far a training is, for a console.

    Args:
        pace: Of its steps.
        step: How many are done.
        epoch: The epoch of the last one, counted from 0.
        losses: Of that step.
        rate: Images a second.
    """
    label = f"epoch {epoch + 1}"
    shown = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
    note = f"{shown}  {rate:.1f} images/s  {pace.left(step)}"
    return Bar(label, step, pace.total, note, f"step {step}/{pace.total}  {label}  {note}")


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
