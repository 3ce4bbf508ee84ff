"""Paths in a study's folder."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import I2IError
from i2i.run_folder import RunFolder
from i2i.system.locks import Taken, lock


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study, by default `studies/<name of the study>`.

    The page is made from the records alone. Records are small and meant to be kept; runs are large
    and may be deleted once their records exist.
    """

    path: Path

    @property
    def records(self) -> Path:
        """The folder with each run's record, and the images that the page shows."""
        return self.path / "records"

    def run(self, name: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.path / "runs" / name)

    def record(self, name: str) -> Path:
        """Return the record file of a run."""
        return self.records / f"{name}.json"

    @property
    def results(self) -> Path:
        """The tables as JSON, for programs."""
        return self.path / "study.json"

    @property
    def page(self) -> Path:
        """The HTML page with tables and figures."""
        return self.path / "study.html"

    @property
    def text(self) -> Path:
        """The tables as Markdown."""
        return self.path / "study.md"

    def check_writable(self) -> None:
        """Check that the folder can be created or written to, without writing anything.

        Raises:
            I2IError: If it can't.
        """
        places = (self.records.absolute(), *self.records.absolute().parents)
        place = next(place for place in places if place.exists())
        if not place.is_dir():
            raise I2IError(f"{self.path}: can't be written to: {place} is no folder")
        if not os.access(place, os.W_OK):
            raise I2IError(f"{self.path}: can't be written to: {place} is read-only")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Create the folder and lock it against other `i2i study` processes.

        Raises:
            I2IError: If another process holds the lock, or the folder can't be written to.
        """
        with ExitStack() as stack:
            try:
                self.records.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock(self.path / ".lock"))
            except Taken:
                raise I2IError(
                    f"{self.path}: another 'i2i study' is using this folder; wait for it, stop it, "
                    "or choose another folder (--out)"
                ) from None
            except OSError as error:
                raise I2IError(f"{self.path}: can't be written to: {error.strerror}") from error
            yield


def log_of(run: RunFolder) -> Path:
    """Return the file with a run's console output."""
    return run.path / "log.txt"
