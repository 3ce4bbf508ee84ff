"""Failures of the system (disk, memory, console) in the words of the person at the keyboard."""

import errno
import os
import re
import shutil
from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NEARLY_NOTHING = 2**16
"""Free bytes below which a failed write is taken for a full disk."""

_ALLOCATION = re.compile(r"allocate\D{0,20}(\d+(?:\.\d+)? ?(?:bytes|[KMGT]i?B))")


def explained(error: BaseException, path: Path | None = None) -> str:
    """Say why something failed, and what to do.

    Args:
        error: The error.
        path: The file that was written, if the error doesn't know it. Libraries that write files
            themselves hide a full disk behind errors of their own; the free space tells.
    """
    if isinstance(error, OSError):
        return _os_reason(error, path)
    if path is not None and is_full(path):
        return _full(path)
    if is_out_of_memory(error):
        size = _ALLOCATION.search(str(error))
        asked = f" ({size[1]} were needed at once)" if size else ""
        return (
            f"not enough memory{asked}: use smaller batches, crops, tiles or networks, or close "
            "other programs"
        )
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    return f"{error}".partition("\n")[0] or type(error).__name__


def in_words(error: BaseException) -> str | None:
    """One line for an error of the system, with its file; None for any other error."""
    if isinstance(error, OSError):
        names = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
        return ": ".join([*names[-1:], explained(error)])
    if is_out_of_memory(error) or isinstance(error, RecursionError | UnicodeError):
        return explained(error)
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed; torch reports that as a RuntimeError."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and (type(error).__name__ == "OutOfMemoryError" or "allocate memory" in str(error))
    )


def is_full(path: Path) -> bool:
    """Whether the disk of a path has no free space; the path may not exist."""
    return _free(path) < _NEARLY_NOTHING


def _os_reason(error: OSError, path: Path | None) -> str:
    named = path if path is not None else _path(error)
    if error.errno in _FULL:
        return _full(named)
    words = error.strerror or str(error)
    if error.errno in _FORBIDDEN:
        return f"{words}: choose a place that you may write to, or change its permissions"
    if error.errno in (errno.EEXIST, errno.ENOTDIR) and named is not None:
        in_the_way = next((p for p in (named, *named.parents) if p.is_file()), None)
        if in_the_way is not None:
            return f"{in_the_way} is a file, not a folder: choose another place"
    return words


def _full(path: Path | None) -> str:
    free = "" if path is None else f" ({_free(path) / 1024:,.0f} KB free)"
    return f"no space left on the disk{free}: free some space, or choose a place on another disk"


def _free(path: Path) -> int:
    """Free bytes on the disk of a path, which may not exist."""
    for each in (path, *path.absolute().parents):
        try:
            return shutil.disk_usage(each).free
        except OSError:
            continue
    return 2**63


def _path(error: OSError) -> Path | None:
    name = error.filename2 or error.filename
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None
