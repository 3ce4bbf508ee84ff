"""One fetch at a time: a lock that processes on a machine share."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_log = logging.getLogger(__name__)


@contextmanager
def locked(path: Path, what: str) -> Iterator[bool]:
    """Hold a lock file; another process that holds it is waited for, and that is said.

    The system lets go of a killed process's lock.

    Args:
        path: The lock file; its folder exists.
        what: What is being fetched, for the message.

    Yields:
        Whether the lock is held: some file systems have none, and there everybody goes on.
    """
    with path.open("a+b") as file:
        held = _lock(file, what)
        try:
            yield held
        finally:
            if held:
                _release(file)


def _waiting(what: str) -> None:
    _log.warning("waiting for another process that is fetching %s", what)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes], what: str) -> bool:
        said = False
        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                if not said:
                    _waiting(what)
                said = True
                time.sleep(0.2)
            else:
                return True

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes], what: str) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _waiting(what)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            return False
        return True

    def _release(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
