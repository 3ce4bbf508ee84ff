"""The folder of uploaded files."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from i2i.errors import I2IError
from i2i.system.cache import cache_dir
from i2i.system.locks import Taken, lock

_VARIABLE = "GRADIO_TEMP_DIR"


@contextmanager
def upload_folder() -> Iterator[Path]:
    """Make a folder for the uploads of this process, which Gradio then uses.

    It is removed at the end. Folders of killed processes are removed at the beginning.

    Raises:
        I2IError: If it can't be made.
    """
    before = os.environ.get(_VARIABLE)
    home = Path(before) if before else cache_dir() / "uploads"
    folder = home / f"i2i-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        try:
            home.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(home)
            stack.enter_context(lock(_lock_of(folder), remove=True))
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise I2IError(f"{home}: can't be used for uploads: {error.strerror}") from error
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_set, before)
        _set(str(folder))
        yield folder


def _set(folder: str | None) -> None:
    if folder is None:
        os.environ.pop(_VARIABLE, None)
    else:
        os.environ[_VARIABLE] = folder


def _remove_abandoned(home: Path) -> None:
    for folder in home.glob("i2i-*/"):
        with suppress(Taken), lock(_lock_of(folder), remove=True) as held:
            if held:
                shutil.rmtree(folder, ignore_errors=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
