"""Console progress and metric logs of a training."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from i2i.errors import I2IError
from i2i.system.console import Bar, Pace
from i2i.system.files import naming, write_whole
from i2i.system.json_file import json_text


def progress(pace: Pace, step: int, epoch: int, losses: Mapping[str, float], rate: float) -> Bar:
    """The progress bar of a training.

    Args:
        pace: Estimates the remaining time.
        step: Number of steps done.
        epoch: Epoch of the last step, counted from 0.
        losses: Losses of the last step.
        rate: Images per second.
    """
    label = f"epoch {epoch + 1}"
    shown = "  ".join(f"{name} {value:.4g}" for name, value in losses.items())
    note = f"{shown}  {rate:.1f} images/s  {pace.left(step)}"
    return Bar(label, step, pace.total, note, f"step {step}/{pace.total}  {label}  {note}")


class Meter:
    """Mean losses, images per second, and the share of time spent waiting for data."""

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
        """A context whose duration counts as waiting for data."""
        began = time.perf_counter()
        yield
        self._waited += time.perf_counter() - began

    def restart_clock(self) -> None:
        """Restart the clock, to leave out the time of checkpoints, samples and validation."""
        self._began = time.perf_counter()

    def add(self, losses: Mapping[str, float], images: int) -> None:
        """Add the losses and the number of images of one step."""
        self._seconds += time.perf_counter() - self._began
        self._steps += 1
        self._images += images
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    @property
    def rate(self) -> float:
        """Images per second."""
        return self._images / self._seconds if self._seconds else 0.0

    def take(self) -> dict[str, Any]:
        """Return the means since the last call, and reset them."""
        taken = {
            "losses": {name: total / self._steps for name, total in self._sums.items()},
            "images_per_second": self.rate,
            "waiting": self._waited / self._seconds if self._seconds else 0.0,
        }
        self._clear()
        return taken


class MetricsLog:
    """Writes `metrics.jsonl`, one line per logged step, and TensorBoard files if asked.

    Args:
        path: The file; None on ranks other than 0, which write nothing.
        after: The step that the training resumes from. Lines of later steps, left by a killed
            process, are deleted.
        tensorboard: Folder for TensorBoard event files; None writes none.
    """

    def __init__(self, path: Path | None, after: int, tensorboard: Path | None = None) -> None:
        self._file = self._board = None
        if path is None:
            return
        self._board = _tensorboard(tensorboard, after) if tensorboard else None
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        kept = [line for line in text.splitlines() if _step_of(line) <= after]
        write_whole(path, "".join(f"{line}\n" for line in kept))
        self._path = path
        # Unbuffered: a write that failed on a full disk must not be retried on close.
        self._file = path.open("ab", buffering=0)

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
        """Write a line with the step and the values: numbers, or dictionaries of numbers.

        Numbers that are not finite become null.
        """
        if self._file:
            with naming(self._path):
                self._file.write(json_text({"step": step, **values}).encode() + b"\n")
        if self._board is None:
            return
        for name, value in values.items():
            for key, number in (value if isinstance(value, dict) else {"": value}).items():
                self._board.add_scalar(f"{name}/{key}".rstrip("/"), number, step)


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return float("inf")  # a killed process may leave an incomplete last line


def _tensorboard(folder: Path, after: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise I2IError(
            "log.tensorboard is true, but TensorBoard isn't installed: pip install 'i2i[track]'"
        ) from None
    return SummaryWriter(str(folder), purge_step=after + 1)
