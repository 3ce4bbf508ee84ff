"""Lock files: one process of the machine at a time holds each."""

import errno
import logging
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger(__name__)

_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
"""Error numbers of file systems that don't support locks."""


class Taken(Exception):
    """Another process holds the lock; the text says which, as far as it is known."""


@contextmanager
def lock(path: Path, *, waiting_for: str | None = None, remove: bool = False) -> Iterator[bool]:
    """Hold a lock file; the operating system releases the lock of a killed process.

    Args:
        path: The lock file; its folder must exist.
        waiting_for: What the other process is doing, such as "fetching alexnet". If given, wait
            for that process and log a warning with this text. By default, raise `Taken` at once.
        remove: Whether to remove the file at the end.

    Yields:
        Whether the lock is held. On a file system without locks it is False, and every process
        continues without a lock.

    Raises:
        Taken: If another process holds the lock and `waiting_for` is not given.
        OSError: If the file can't be created.
    """
    file = FileLock(path, fallback_to_soft=False)
    held = _acquired(file, path, waiting_for)
    if held:
        with suppress(OSError):  # such as a full disk
            path.write_text(_this_process(), encoding="utf-8", errors="backslashreplace")
    try:
        yield held
    finally:
        if remove:
            # Remove the file while the lock is held: a process that has opened the same file then
            # sees that it was deleted, and creates another. Windows refuses to delete an open
            # file; there filelock removes it.
            with suppress(OSError):
                path.unlink()
        file.release()


def _acquired(file: FileLock, path: Path, waiting_for: str | None) -> bool:
    try:
        holder = _text(path)  # before the attempt, which may truncate the file
        try:
            file.acquire(blocking=False)
        except Timeout:
            if waiting_for is None:
                raise Taken(holder or f"it holds {path}") from None
            _log.warning("waiting for another process that is %s", waiting_for)
            file.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _this_process() -> str:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return f"process {os.getpid()} on {socket.gethostname()}: {command}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:500]
    except OSError:
        return ""
