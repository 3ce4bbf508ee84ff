"""One process at a time works in a run's folder."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from i2i.errors import I2IError
from i2i.run_folder import RunFolder
from i2i.runs.earlier import recover
from i2i.system.failures import explained
from i2i.system.files import remove_leftovers
from i2i.system.locks import Taken, lock

LOCK = ".lock"


@contextmanager
def holding(folder: RunFolder, *, wait: bool = False) -> Iterator[None]:
    """Hold a run's folder against other processes, and remove what killed ones left in it.

    A missing folder is created; one that is still empty at the end is removed.

    Args:
        folder: The folder.
        wait: Whether to wait for another process that holds it.

    Raises:
        I2IError: If another process holds it, or it can't be written to.
    """
    path = folder.path
    with ExitStack() as stack:
        try:
            stack.enter_context(_created(path))
            waiting_for = f"at work in {path}" if wait else None
            held = stack.enter_context(lock(path / LOCK, waiting_for=waiting_for, remove=True))
            if held:
                recover(folder)
                remove_leftovers(path, below=True)
        except Taken as taken:
            raise I2IError(
                f"{path}: another process is at work in this run ({taken}): wait for it, stop it, "
                "or choose another folder (--out)"
            ) from None
        except OSError as error:
            raise I2IError(f"{path}: can't be written to: {explained(error)}") from error
        yield


@contextmanager
def _created(path: Path) -> Iterator[None]:
    missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # the first one that isn't empty ends it
            for each in missing:
                each.rmdir()
