"""Runs a study's jobs in separate processes, several at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import torch

from i2i.errors import I2IError
from i2i.studies.folder import log_of
from i2i.studies.job import RECIPE
from i2i.studies.plan import Job
from i2i.studies.record import write_record
from i2i.system.console import Bar, Console, Pace
from i2i.system.files import write_whole
from i2i.system.signals import asked_to_stop

POLL_SECONDS = 0.2

LAST_LINES = 8
"""Number of lines of a failed run's log that are shown."""

TAIL_BYTES = 4096

STOPPED = {
    sign * number + shift
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for sign, shift in ((1, 128), (-1, 0))
}
"""Exit statuses of a run that a signal stopped, with or without saving first."""


@dataclass
class Ended:
    """How the runs of a study ended.

    Args:
        failed: The reason for each failed run, by its name.
        signal: The signal that stopped the study; None if there was none.
    """

    failed: dict[str, str] = field(default_factory=dict)
    signal: int | None = None


def run_jobs(
    jobs: Sequence[Job], side_by_side: int, console: Console, recorded: Callable[[], None]
) -> Ended:
    """Do all unfinished runs, several at a time; a failed run doesn't stop the others.

    SIGINT and SIGTERM make the runs save and stop; a second SIGINT kills them.

    Args:
        jobs: The runs of a study, after `prepare`.
        side_by_side: The number of runs at a time.
        console: Shows the progress.
        recorded: Called each time a record has been written.
    """
    ended = Ended()
    waiting = deque(job for job in jobs if job.state != "done")
    places = list(range(side_by_side))
    running: list[_Running] = []
    pace = Pace(_done(jobs), sum(job.total for job in jobs))
    with asked_to_stop() as signals:
        try:
            while (waiting and not signals) or running:
                while waiting and places and not signals:
                    running.append(_start(waiting.popleft(), places.pop(0), side_by_side))
                    console.say(f"{running[-1].job.name}: {_first_message(running[-1].job)}")
                time.sleep(POLL_SECONDS)
                _show(console, pace, jobs, running)
                if signals and ended.signal is None:
                    ended.signal = signals[0]
                    console.say("stopping: the runs are saving")
                    for each in running:
                        each.process.terminate()
                for each in [each for each in running if each.process.poll() is not None]:
                    running.remove(each)
                    places.append(each.place)
                    _conclude(each, ended, console, recorded)
        except KeyboardInterrupt:  # the second request to stop: kill without saving
            for each in running:
                each.process.kill()
            raise
        finally:
            for each in running:
                each.process.terminate()
                each.process.wait()
    return ended


@dataclass
class _Running:
    """A job whose process is running.

    Args:
        job: The job.
        place: Its slot among the simultaneous runs, from 0.
        process: Its process.
        began: Its start time, in seconds since the epoch.
    """

    job: Job
    place: int
    process: "subprocess.Popen[bytes]"
    began: float = field(default_factory=time.time)

    @property
    def step(self) -> int:
        """The number of updates done, from the run's metrics log."""
        log = self.job.run.metrics
        with suppress(OSError):
            if log.stat().st_mtime >= self.began:  # else an earlier process wrote it
                self.job.step = max(self.job.step, _last_step(log))
        return self.job.step


def _done(jobs: Sequence[Job]) -> int:
    return sum(job.step for job in jobs)


def _show(console: Console, pace: Pace, jobs: Sequence[Job], running: Sequence[_Running]) -> None:
    """Show the progress of the study and of each active run."""
    parts = [_bar(f"  {each.job.name}", each.step, each.job.total) for each in running]
    done = _done(jobs)
    speed, left = f"{pace.speed(done):.1f}/s", pace.left(done)
    line = ", ".join(filter(None, [f"{done:,}/{pace.total:,} updates", speed, left]))
    console.show(Bar("study", done, pace.total, f"{speed}  {left}", line), parts)


def _bar(label: str, step: int, total: int) -> Bar:
    return Bar(label, step, total, line=f"{label}: {step:,}/{total:,}")


def _start(job: Job, place: int, side_by_side: int) -> _Running:
    job.run.path.mkdir(parents=True, exist_ok=True)
    write_whole(job.run.path / RECIPE, job.recipe.to_toml())
    flags = ["--overwrite"] if job.replaces else []
    with log_of(job.run).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "i2i.studies.job", str(job.run.path), *flags],
            stdin=subprocess.PIPE,  # when it closes, the run knows that the study has ended
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(place, side_by_side),
        )
    return _Running(job, place, process)


def _first_message(job: Job) -> str:
    return f"resuming from step {job.step:,}" if job.step else f"started, {job.total:,} updates"


def _environment(place: int, side_by_side: int) -> dict[str, str]:
    """Return the environment of a run's process, with its share of CPU cores and a CUDA device."""
    environment = dict(os.environ)
    if side_by_side > 1:
        threads = max(1, _cores() // side_by_side)
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        if devices := _cuda_devices():
            environment["CUDA_VISIBLE_DEVICES"] = devices[place % len(devices)]
    return environment


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)  # missing on macOS and Windows
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _cuda_devices() -> list[str]:
    """Return the usable devices, in the notation of `CUDA_VISIBLE_DEVICES`."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    return [str(i) for i in range(torch.cuda.device_count())]


def _conclude(
    running: _Running, ended: Ended, console: Console, recorded: Callable[[], None]
) -> None:
    """Write the record of a run that has ended, or store why it failed."""
    job, status = running.job, running.process.returncode
    assert running.process.stdin is not None
    running.process.stdin.close()
    if status == 0:
        try:
            job.record = write_record(job.path, job.run, job.recipe, job.variants[0])
        except (I2IError, OSError) as error:
            ended.failed[job.name] = str(error)
        else:
            job.lacking, job.step = [], job.total
            console.say(f"{job.name}: done")
            recorded()
    elif ended.signal is None or status not in STOPPED:
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        ended.failed[job.name] = f"{how}; {log_of(job.run)} ends:\n{_last_lines(log_of(job.run))}"
    if job.name in ended.failed:
        console.say(f"{job.name}: FAILED; the other runs continue")


def _last_lines(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-LAST_LINES:])


def _last_step(log: Path) -> int:
    with log.open("rb") as file:
        lines = _tail(file).splitlines()
    for line in reversed(lines):
        with suppress(ValueError, KeyError, TypeError):
            found: Any = json.loads(line)
            return int(found["step"])
    return 0


def _tail(file: IO[bytes]) -> bytes:
    file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
    return file.read()
