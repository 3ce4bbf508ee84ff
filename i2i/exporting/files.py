"""Exported files: never half written, never over another one unasked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from i2i.errors import I2IError


def check_free(path: Path, *, overwrite: bool) -> None:
    """Find out before the work whether a file may be written.

    Raises:
        I2IError: If there is a folder, or a file that isn't to be overwritten.
    """
    if path.is_dir():
        raise I2IError(f"{path} is a folder: name a file")
    if path.exists() and not overwrite:
        raise I2IError(f"{path} is there already: choose another file (--out), or --overwrite it")


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """A path to write a file to, which becomes `path` in one go where nothing has gone wrong.

    Raises:
        I2IError: If it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            unfinished = Path(folder) / path.name
            yield unfinished
            unfinished.replace(path)
    except OSError as error:
        raise I2IError(f"{path}: can't be written: {error.strerror or error}") from error
