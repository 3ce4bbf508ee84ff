"""A study's folder: what lies where."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import I2IError
from i2i.run_folder import RunFolder
from i2i.system.locks import Taken, lock


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study, by default `studies/<the study's name>`.

    The records are all that its page is made of; they are small, and made to be kept. The runs
    are large and may go once their records are there.
    """

    path: Path

    @property
    def records(self) -> Path:
        """What each run has come to, and the images that the page shows."""
        return self.path / "records"

    def run(self, name: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.path / "runs" / name)

    def record(self, name: str) -> Path:
        """The record of a run."""
        return self.records / f"{name}.json"

    @property
    def results(self) -> Path:
        """The tables, for programs."""
        return self.path / "study.json"

    @property
    def page(self) -> Path:
        """The tables and figures, for people."""
        return self.path / "study.html"

    @property
    def text(self) -> Path:
        """The tables as Markdown."""
        return self.path / "study.md"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder ready to be written to, by one process at a time.

        Raises:
            I2IError: If another process is at work in it, or it can't be written to.
        """
        with ExitStack() as stack:
            try:
                self.records.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock(self.path / ".lock"))
            except Taken:
                raise I2IError(
                    f"{self.path}: another 'i2i study' is at work here; wait for it, stop it, or "
                    "choose another folder (--out)"
                ) from None
            except OSError as error:
                raise I2IError(f"{self.path}: can't be written to: {error.strerror}") from error
            yield


def log_of(run: RunFolder) -> Path:
    """What a run has said."""
    return run.path / "log.txt"
