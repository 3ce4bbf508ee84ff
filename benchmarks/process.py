"""Programs as a user starts them, timed from start to end."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """A program that has ended.

    Args:
        seconds: From its start to its end.
        peak_mib: The most memory that it held. Of a program with several processes that of the
            largest, which flatters it; never less than the process that started it held.
        text: What it printed.
    """

    seconds: float
    peak_mib: float
    text: str


def timed(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        command: How it is started.
        environment: Variables it needs besides those that are set.
        folder: Where it is started.
    """
    with tempfile.TemporaryFile("w+") as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=printed,
            stderr=printed,
            env={**os.environ, **(environment or {})},
            cwd=folder,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}:\n{text}")
    return Ended(seconds, usage.ru_maxrss / 1024, text)
