"""A file that a long computation ends with: checked before, locked meanwhile, written whole."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from i2i.errors import I2IError
from i2i.system.failures import explained
from i2i.system.files import is_utf8, remove_leftovers, replacing, scratch
from i2i.system.locks import Taken, lock


def check_free(path: Path, *, overwrite: bool) -> None:
    """Check before the work that a file can be written, and remove leftovers of killed processes.

    Raises:
        I2IError: If the path is a folder, if the file exists and `overwrite` is False, if the file
            can't be written, or if its name is not UTF-8, which the libraries for it need.
    """
    if not is_utf8(path):
        raise I2IError(f"{path}: is not UTF-8: choose another name (--out)")
    with _named_errors(path):
        if path.is_dir():
            raise I2IError(f"{path} is a folder: name a file")
        if path.exists() and not overwrite:
            raise I2IError(
                f"{path} exists already: choose another file (--out), or replace it (--overwrite)"
            )
        folder = next(each for each in path.absolute().parents if each.exists())
        with scratch(folder / path.name):
            pass
        if path.parent.is_dir():
            with suppress(Taken), _locked(path):
                pass


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which is renamed to `path` if no error occurs.

    Waits while another process writes the same file.

    Raises:
        I2IError: If the file can't be written.
    """
    with _named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path, waiting_for=f"writing {path}"), replacing(path) as unfinished:
            yield unfinished


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file that will be written against other processes; missing folders are created.

    Raises:
        I2IError: If another process holds it, or its folder can't be written to.
    """
    with ExitStack() as stack:
        with _named_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(_locked(path))
            except Taken as taken:
                raise I2IError(
                    f"{path}: another process is about to write it ({taken}): wait for it, or "
                    "choose another file (--out)"
                ) from None
        yield


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into an I2IError that names the file."""
    try:
        yield
    except OSError as error:
        raise I2IError(f"{path}: can't be written: {explained(error)}") from error


@contextmanager
def _locked(path: Path, waiting_for: str | None = None) -> Iterator[None]:
    """Lock a file against other processes, and remove leftovers of killed ones."""
    lock_file = path.with_name(f".{path.name}.lock")
    with lock(lock_file, waiting_for=waiting_for, remove=True) as held:
        if held:
            remove_leftovers(path.parent, path.name)
        yield
