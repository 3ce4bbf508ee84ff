"""A small training in several processes, which average their gradients with gloo."""

import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

from i2i.testing.subject import Subject
from i2i.testing.trainings import Trained, result, run_small

PATIENCE = 300
"""Seconds that a process may take."""


def train_in_processes(
    subject: Subject, folder: Path, *, number: int = 2, **options: Any
) -> Trained:
    """Train for a few steps in several processes, see `run_small`.

    Args:
        subject: The method; its class must be importable.
        folder: The run's folder.
        number: Number of processes.
        options: Keys of `[train]`.

    Raises:
        ConformanceError: If the training fails or hangs.
    """
    context = multiprocessing.get_context("spawn")
    meeting = {
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": _free_port(),
        "WORLD_SIZE": str(number),
        "OMP_NUM_THREADS": "1",
    }
    processes = [
        context.Process(
            target=_rank,
            args=(subject, folder, {**meeting, "RANK": str(i), "LOCAL_RANK": str(i)}, options),
        )
        for i in range(number)
    ]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(PATIENCE)
        statuses = [process.exitcode for process in processes]
    finally:
        for process in processes:
            process.kill()
    subject.require(
        statuses == [0] * number,
        f"can't be trained in {number} processes, which ended with {statuses} (None: it hangs)",
    )
    return result(subject, folder)


def _rank(
    subject: Subject, folder: Path, environment: dict[str, str], options: dict[str, Any]
) -> None:
    os.environ.update(environment)
    run_small(subject, folder, **options)


def _free_port() -> str:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return str(found.getsockname()[1])
