"""Locks that processes on a machine share: files that one at a time holds."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger(__name__)

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
"""What file systems without locks answer."""


class Taken(Exception):
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, *, waiting_for: str | None = None, remove: bool = False) -> Iterator[bool]:
    """Hold a lock file; the system lets go of a killed process's.

    Args:
        path: The lock file; its folder exists.
        waiting_for: What another process that holds it is doing: it is waited for, and that is
            said. By default nobody is waited for.
        remove: Whether to remove the file at the end.

    Yields:
        Whether the lock is held: some file systems have none, and there everybody goes on.

    Raises:
        Taken: If another process holds it and isn't waited for.
        OSError: If the file can't be made.
    """
    file = FileLock(path, fallback_to_soft=False)
    held = _acquired(file, waiting_for)
    try:
        yield held
    finally:
        if remove:
            # While it is held: who has opened the same file by then sees that it is gone, and
            # makes another. Windows refuses, and there filelock removes it.
            with suppress(OSError):
                path.unlink()
        file.release()


def _acquired(file: FileLock, waiting_for: str | None) -> bool:
    try:
        try:
            file.acquire(blocking=False)
        except Timeout:
            if waiting_for is None:
                raise Taken(file.lock_file) from None
            _log.warning("waiting for another process that is %s", waiting_for)
            file.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
