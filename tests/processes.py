"""The program in real processes, forked from one that has imported what takes long already.

A process of its own can be killed; importing torch and matplotlib anew in each would take most of
the time.
"""

import multiprocessing
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "i2i.cli",
        "i2i.runs.evaluate",
        "i2i.report",
        "i2i.runs.run",
        "i2i.translation.translate",
        "matplotlib.backends.backend_svg",
        "rich.progress",
        "tests.processes",
        "torchmetrics.functional.image",
    ]
)


@dataclass
class Run:
    """A run of the program that has been started."""

    process: BaseProcess
    folder: Path
    number: int = field(default=0)

    def wait(self, timeout: float = 120) -> "Run":
        self.process.join(timeout)
        assert self.process.exitcode is not None, f"still running: {self.output}"
        return self

    @property
    def status(self) -> int:
        """The exit status; negative for the signal that killed it."""
        self.wait()
        assert self.process.exitcode is not None
        return self.process.exitcode

    @property
    def output(self) -> str:
        return self._read("out") + self.errors

    @property
    def errors(self) -> str:
        return self._read("err")

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        with suppress(ProcessLookupError):  # it may have just ended
            os.kill(self.process.pid, number)

    def _read(self, kind: str) -> str:
        file = _file(self.folder, self.number, kind)
        return file.read_text() if file.exists() else ""


def start(arguments: list[str], folder: Path, environment: dict[str, str]) -> Run:
    number = len(list(folder.glob(".run-*.err")))
    for kind in ("out", "err"):
        _file(folder, number, kind).touch()
    process = _context.Process(target=_main, args=(arguments, folder, environment, number))
    process.start()
    return Run(process, folder, number)


def _file(folder: Path, number: int, kind: str) -> Path:
    return folder / f".run-{number}.{kind}"


def _main(arguments: list[str], folder: Path, environment: dict[str, str], number: int) -> None:
    # A shell that runs the tests in the background has them ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, kind in ((1, "out"), (2, "err")):
        os.dup2(os.open(_file(folder, number, kind), os.O_WRONLY | os.O_TRUNC), descriptor)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    import torch

    from i2i.cli import main

    torch.set_num_threads(1)
    try:
        main(arguments)
    except SystemExit:
        raise
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
