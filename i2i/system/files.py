"""Files: names that can't leave their folder, files never half written, locks without waiting."""

import os
import sys
import threading
from pathlib import Path

from i2i.errors import DataError


def safe_join(root: Path, name: str) -> Path:
    """The path that `name` has inside `root`, with links followed.

    Args:
        root: The folder to stay in; it need not exist.
        name: A relative path with `/`, from a file's name, an archive or a recipe.

    Returns:
        The resolved path; it need not exist.

    Raises:
        DataError: If the name is absolute or empty, holds a NUL, or leads out of the folder, be it
            by `..` or by a link.
    """
    if "\0" in name:
        raise DataError([f"{name!r}: a name can't hold a NUL"])
    if Path(name).is_absolute():
        raise DataError([f"{name!r}: give a path relative to {root}"])
    try:
        base = root.resolve()
        path = (base / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError([f"{name!r} in {root}: {error}"]) from error
    if base not in path.parents:
        raise DataError([f"{name!r}: leads out of {root}, to {path}"])
    return path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    writer = f"{os.getpid()}.{threading.get_ident()}"
    unfinished = path.with_name(f".{path.name}.{writer}.unfinished")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


if sys.platform == "win32":

    def try_lock(descriptor: int) -> bool | None:
        """Take the lock of an open file or folder; None, as there is none for folders here."""
        return None

else:
    import fcntl

    def try_lock(descriptor: int) -> bool | None:
        """Take the lock of an open file or folder, which is let go of when it is closed.

        Returns:
            Whether it is held now, or another process's; None where the file system has no locks.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True
