"""Exported files: never half written, never over another one unasked."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from i2i.errors import I2IError
from i2i.system.files import remove_leftovers, replacing, scratch
from i2i.system.locks import Taken, lock


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
        folder = next(each for each in path.absolute().parents if each.exists())
        with scratch(folder / path.name):
            pass
        if path.parent.is_dir():
            with suppress(Taken), _alone(path):
                pass


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A path to write a file to, which becomes `path` in one go where nothing has gone wrong.

    Another process that writes the same file is waited for.

    Raises:
        I2IError: If it can't be written.
    """
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path, waiting_for=f"writing {path}"), replacing(path) as unfinished:
            yield unfinished


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A context in which errors of the system say which file can't be written."""
    try:
        yield
    except OSError as error:
        raise I2IError(f"{path}: can't be written: {error.strerror or error}") from error


@contextmanager
def _alone(path: Path, waiting_for: str | None = None) -> Iterator[None]:
    """Keep other processes from writing a file; what killed ones left of it is removed."""
    place = path.with_name(f".{path.name}.lock")
    with lock(place, waiting_for=waiting_for, remove=True) as held:
        if held:
            remove_leftovers(path.parent, path.name)
        yield
