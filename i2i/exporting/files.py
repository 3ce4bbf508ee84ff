"""Exported files: never half written, never over another one unasked."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from i2i.errors import I2IError
from i2i.system.files import try_lock


def check_free(path: Path, *, overwrite: bool) -> None:
    """Find out before the work whether a file may be written, and remove what a kill left of it.

    Raises:
        I2IError: If there is a folder, or a file that isn't to be overwritten, or it can't be
            written.
    """
    with _told(path):
        if path.is_dir():
            raise I2IError(f"{path} is a folder: name a file")
        if path.exists() and not overwrite:
            raise I2IError(
                f"{path} is there already: choose another file (--out), or --overwrite it"
            )
        _remove_leftovers(path)
        folder = next(each for each in path.absolute().parents if each.exists())
        with TemporaryDirectory(prefix=_prefix(path), dir=folder):
            pass


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A path to write a file to, which becomes `path` in one go where nothing has gone wrong.

    Raises:
        I2IError: If it can't be written.
    """
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(prefix=_prefix(path), dir=path.parent) as folder,
            _claimed(Path(folder)),
        ):
            unfinished = Path(folder) / path.name
            yield unfinished
            unfinished.replace(path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A context in which errors of the system say which file can't be written."""
    try:
        yield
    except OSError as error:
        raise I2IError(f"{path}: can't be written: {error.strerror or error}") from error


def _prefix(path: Path) -> str:
    """What the names of folders begin with in which a file is written."""
    return f".{path.name}.i2i-"


def _remove_leftovers(path: Path) -> None:
    """Remove the folders of writers that were killed: nobody holds their locks any more."""
    if not path.parent.is_dir():
        return
    for folder in path.parent.iterdir():
        if folder.name.startswith(_prefix(path)) and folder.is_dir() and not folder.is_symlink():
            with _claimed(folder) as claimed:
                if claimed:
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, if no other process does and there are locks; whether it is held."""
    if sys.platform == "win32":  # where folders can't be opened
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield try_lock(descriptor) is True
    finally:
        os.close(descriptor)
