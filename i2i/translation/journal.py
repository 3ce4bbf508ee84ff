"""What a folder of translations says of itself: by which model, how, and which file of what."""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from i2i.errors import DataError, I2IError
from i2i.system.files import write_whole
from i2i.system.locks import Taken, lock

RECORD = "translation.json"

JOURNAL = ".translation.journal"
"""Beside it while translations are made: a line for each file, before it is there."""

LOCK = ".translation.lock"
"""Beside it while translations are made, or where a process that made some was killed."""

Source = list[Any]
"""What tells one input from another, or from what it was before: its path, size and time."""


class Record:
    """The record of one folder, held by one process at a time.

    A file is a translation of an input if a line says so; and whatever a line speaks of is either
    not there or what it says: a line is written after an older file is gone and before the new one
    takes its place. So a killed process leaves no file that is taken for another's.

    Args:
        out: The folder.
        how: By which model and with which options its translations are made.
    """

    def __init__(self, out: Path, how: Mapping[str, Any]) -> None:
        self.out = out
        self.how: dict[str, Any] = json.loads(json.dumps(how))
        self.files: dict[str, Source] = {}
        self._lock = threading.Lock()

    @contextmanager
    def held(self, outputs: Sequence[Path], *, overwrite: bool) -> Iterator[None]:
        """A context in which translations are made: begun, or gone on with.

        Args:
            outputs: What is going to be in the folder.
            overwrite: Whether what is there may be replaced.

        Raises:
            I2IError: If translations by another model or with other options are there, another
                process is writing there, or the folder can't be written to.
            DataError: If files would be replaced that are no translations.
        """
        with ExitStack() as stack:
            try:
                self.out.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock(self.out / LOCK, remove=True))
                # Without a buffer: what a full disk refuses mustn't be tried again at the end.
                journal = (self.out / JOURNAL).open("ab", buffering=0)
                self._journal = stack.enter_context(journal)
            except Taken:
                raise I2IError(f"{self.out}: another process is translating into it") from None
            except OSError as error:
                raise I2IError(
                    f"{self.out}: can't be written to: {error.strerror or error}"
                ) from error
            # Not before: who holds the lock adds files all the time.
            self._check(outputs, overwrite)
            if overwrite:
                self._clear(outputs)
            self._write({})
            self._journal.truncate(0)
            yield

    def has(self, output: Path, source: Source) -> bool:
        """Whether a file is there and is the translation of this input."""
        return self.files.get(self._name(output)) == source and there(output)

    def announce(self, output: Path, source: Source) -> None:
        """Say what a file is going to be; an older one goes.

        Raises:
            OSError: If it can't be said.
        """
        output.unlink(missing_ok=True)
        name = self._name(output)
        with self._lock:
            self._journal.write(json.dumps([name, source]).encode() + b"\n")
            self.files[name] = source

    def finish(self, translated: int, bad: Mapping[str, str]) -> None:
        """Write down what came of it.

        Raises:
            I2IError: If it can't be written.
        """
        self._write({"translated": translated, "bad": dict(bad)})
        (self.out / JOURNAL).unlink(missing_ok=True)

    def _check(self, outputs: Sequence[Path], overwrite: bool) -> None:
        try:
            self._compare(outputs, overwrite)
        except I2IError:
            if not self._journal.tell():  # made just now, in somebody else's folder
                (self.out / JOURNAL).unlink(missing_ok=True)
            raise

    def _compare(self, outputs: Sequence[Path], overwrite: bool) -> None:
        before = self._read()
        how = {key: before[key] for key in before if key not in ("translated", "bad", "files")}
        if overwrite:
            return
        if self.files and how != self.how:
            differing = sorted(
                f"{key} was {how.get(key)!r} and is {self.how.get(key)!r}"
                for key in how.keys() | self.how.keys()
                if how.get(key) != self.how.get(key)
            )
            raise I2IError(
                f"{self.out} holds translations that were made in another way "
                f"({'; '.join(differing)}): name another folder (--out), or replace them "
                "(--overwrite)"
            )
        strange = [path for path in outputs if self._name(path) not in self.files and there(path)]
        if strange:
            raise DataError(
                [
                    f"{path}: is there already and is no translation of this command's: name "
                    "another folder (--out), or replace it (--overwrite)"
                    for path in strange
                ]
            )

    def _clear(self, outputs: Sequence[Path]) -> None:
        """Remove what is to be replaced, so that what the record speaks of is this model's."""
        try:
            for path in outputs:
                if there(path):
                    path.unlink()
        except OSError as error:
            raise I2IError(f"{path}: can't be replaced: {error.strerror or error}") from error
        self.files = {}

    def _read(self) -> dict[str, Any]:
        """The record, with what the journal of a process that was killed adds to its files."""
        record = self.out / RECORD
        try:
            before: dict[str, Any] = json.loads(_text(record) or "{}")
            self.files = dict(before.get("files", {}))
        except (ValueError, AttributeError, TypeError) as error:
            raise I2IError(f"{record}: is not what i2i translate writes ({error})") from error
        for line in _text(self.out / JOURNAL).splitlines():
            with suppress(ValueError):  # the last line may be cut
                name, source = json.loads(line)
                self.files[name] = source
        return before

    def _write(self, more: Mapping[str, Any]) -> None:
        document = {**self.how, **more, "files": dict(sorted(self.files.items()))}
        try:
            write_whole(self.out / RECORD, json.dumps(document, indent=2) + "\n")
        except OSError as error:
            raise I2IError(
                f"{self.out / RECORD}: can't be written: {error.strerror or error}"
            ) from error

    def _name(self, output: Path) -> str:
        return os.path.relpath(output, self.out.resolve())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def source_of(file: Path) -> Source:
    """What tells an input from another.

    Raises:
        OSError: If it isn't there.
    """
    about = file.stat()
    return [os.fspath(file.resolve()), about.st_size, about.st_mtime_ns]


def there(path: Path) -> bool:
    """Whether there is something of that name."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
