"""The record of an output folder: its model, its options, and the input of each output."""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from i2i.errors import DataError, I2IError
from i2i.system.failures import explained
from i2i.system.files import naming, write_whole
from i2i.system.locks import Taken, lock

RECORD = "translation.json"

JOURNAL = ".translation.journal"
"""Exists during a translation; it gets a line for each output before and after that is written."""

LOCK = ".translation.lock"
"""Exists during a translation, and after a translating process was killed."""

Source = list[Any]
"""Identifies one state of an input: its path, size and modification time."""


class Record:
    """The record of one output folder, which one process holds at a time.

    Before an output is written, a line of the journal says that it may be replaced; once it is in
    place, a second line says which input it translates. So whatever a killed process has left is
    known: outputs that are complete, and outputs to translate again. An older output stays until
    the new one takes its place.

    Args:
        out: The output folder.
        how: The model and the options of the translations.
    """

    def __init__(self, out: Path, how: Mapping[str, Any]) -> None:
        self.out = out
        self.how: dict[str, Any] = json.loads(json.dumps(how))
        self.files: dict[str, Source] = {}
        self._replaceable: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, outputs: Sequence[Path], *, overwrite: bool) -> Iterator[None]:
        """Hold the folder while translating into it, and start the record or resume it.

        Args:
            outputs: The files that will be in the folder.
            overwrite: Whether existing files may be replaced.

        Raises:
            I2IError: If the folder holds translations by another model or with other options,
                another process is translating into it, or it can't be written to.
            DataError: If outputs exist that are not in the record.
        """
        with ExitStack() as stack:
            try:
                self.out.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock(self.out / LOCK, remove=True))
                # Unbuffered: a write that failed on a full disk must not be retried on close.
                journal = (self.out / JOURNAL).open("ab", buffering=0)
                self._journal = stack.enter_context(journal)
            except Taken:
                raise I2IError(f"{self.out}: another process is translating into it") from None
            except OSError as error:
                raise I2IError(f"{self.out}: can't be written to: {explained(error)}") from error
            # Check only with the lock held: another holder would be adding files.
            self._check(outputs, overwrite)
            if overwrite:
                self.files = {}
                self._replaceable.update(self._name(path) for path in outputs if there(path))
            self._write({})
            self._journal.truncate(0)
            self._note(dict.fromkeys(sorted(self._replaceable)))
            yield

    def has(self, output: Path, source: Source) -> bool:
        """Whether an output exists and is the translation of this input."""
        return self.files.get(self._name(output)) == source and there(output)

    @contextmanager
    def writing(self, output: Path, source: Source) -> Iterator[None]:
        """A context that puts the translation of an input into place.

        Raises:
            OSError: If the journal can't be written.
        """
        name = self._name(output)
        self._note({name: None})
        yield
        self._note({name: source})
        self.files[name] = source

    def _note(self, sources: Mapping[str, Source | None]) -> None:
        lines = b"".join(json.dumps(item).encode() + b"\n" for item in sources.items())
        with self._lock, naming(self.out / JOURNAL):
            self._journal.write(lines)

    def finish(self, translated: int, bad: Mapping[str, str]) -> None:
        """Write the complete record and delete the journal.

        Raises:
            I2IError: If the record can't be written.
        """
        self._write({"translated": translated, "bad": dict(bad)})
        (self.out / JOURNAL).unlink(missing_ok=True)

    def _check(self, outputs: Sequence[Path], overwrite: bool) -> None:
        try:
            self._compare(outputs, overwrite)
        except I2IError:
            if not self._journal.tell():  # it was created just now, in a folder that isn't ours
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
                f"{self.out} holds translations with other settings ({'; '.join(differing)}): "
                "choose another folder (--out), or replace them (--overwrite)"
            )
        known = self.files.keys() | self._replaceable
        unknown = [path for path in outputs if self._name(path) not in known and there(path)]
        if unknown:
            raise DataError(
                [
                    f"{path}: is there already and was not written by this command: choose "
                    "another folder (--out), or replace it (--overwrite)"
                    for path in unknown
                ]
            )

    def _read(self) -> dict[str, Any]:
        """Read the record, and add the files from the journal of a killed process."""
        record = self.out / RECORD
        try:
            before: dict[str, Any] = json.loads(_text(record) or "{}")
            self.files = dict(before.get("files", {}))
        except (ValueError, AttributeError, TypeError) as error:
            raise I2IError(
                f"{record}: is not what i2i translate writes ({error}); choose another --out"
            ) from error
        for line in _text(self.out / JOURNAL).splitlines():
            with suppress(ValueError):  # the last line may be incomplete
                name, source = json.loads(line)
                if source is None:
                    self.files.pop(name, None)
                    self._replaceable.add(name)
                else:
                    self.files[name] = source
        return before

    def _write(self, more: Mapping[str, Any]) -> None:
        document = {**self.how, **more, "files": dict(sorted(self.files.items()))}
        try:
            write_whole(self.out / RECORD, json.dumps(document, indent=2) + "\n")
        except OSError as error:
            raise I2IError(f"{self.out / RECORD}: can't be written: {explained(error)}") from error

    def _name(self, output: Path) -> str:
        return os.path.relpath(output, self.out.resolve())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def source_of(file: Path) -> Source:
    """The path, size and modification time of an input.

    Raises:
        OSError: If the file is missing.
    """
    about = file.stat()
    return [os.fspath(file.resolve()), about.st_size, about.st_mtime_ns]


def there(path: Path) -> bool:
    """Whether a file, folder or link (even a broken one) has this path."""
    try:
        path.lstat()
    except OSError:
        return False
    return True
