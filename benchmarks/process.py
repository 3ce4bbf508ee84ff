"""Runs and times whole programs, as a user starts them."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """The result of a program.

    Args:
        seconds: The time from its start to its end.
        peak_mib: Its peak memory. If it has several processes, this is the peak of the largest one
            only, which is too low. It is at least the memory of the process that started it.
        text: Its output.
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
        command: The command line.
        environment: Additional environment variables.
        folder: The working directory.

    Raises:
        SystemExit: If its exit status is not 0; the message has its output.
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
