"""Names that can't leave their folder, and writes that never leave a partial file."""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from i2i.errors import DataError
from i2i.system.failures import is_full

UNFINISHED = ".unfinished"
"""Part of the name of every file and folder that is still being written."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished file is a dead process's: writers never pause that long."""

_LONGEST = 50  # characters of up to 4 bytes each, so the whole name fits into 255 bytes


def with_home(path: Path | str) -> Path:
    """A path with the user's home folder in place of `~`; unchanged if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_utf8(path: Path | str) -> bool:
    """Whether a path has only characters of UTF-8, as TOML and some libraries need."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def safe_join(root: Path, name: str) -> Path:
    """Resolve `name` inside `root`, following links.

    Args:
        root: The folder to stay in; it may not exist yet.
        name: A relative path with `/`, such as from a file name, an archive or a recipe.

    Returns:
        The resolved path, which may not exist yet.

    Raises:
        DataError: If the name is absolute or empty, contains a NUL byte, or leads out of the folder
            through `..` or a link.
    """
    if "\0" in name:
        raise DataError([f"{name!r}: a name can't contain a NUL byte"])
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


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Write to a hidden temporary path, which replaces `path` atomically if nothing is raised.

    A reader sees the old file or the new one, never a part. With `sync`, this also holds after a
    power cut. The new file has the mode that the umask gives, whatever the writer does.

    Args:
        path: The file to write; its folder must exist.
        sync: Whether to wait until the file is on the disk.

    Yields:
        A unique path in the same folder, with the same suffix.

    Raises:
        OSError: If the file can't be written; the error names `path`.
    """
    unfinished = _hidden(path)
    try:
        with naming(path):
            unfinished.touch()
            mode = unfinished.stat().st_mode
            yield unfinished
            if unfinished.stat().st_mode != mode:
                unfinished.chmod(mode)
            if sync:
                sync_file(unfinished)
            unfinished.replace(path)
            if sync:
                sync_folder(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Make errors of writing a file name it, instead of nothing or of a temporary file.

    Raises:
        OSError: Instead of one without a name, and instead of any error on a full disk.
    """
    try:
        yield
    except OSError as error:
        named = error.filename
        if error.errno is None or (named and Path(os.fsdecode(named)).parent != path.parent):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    except Exception as error:
        if is_full(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path)) from error
        raise


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file atomically: a reader sees the old file or the new one, never a part.

    A text is written as UTF-8. File names may have bytes that are not UTF-8; these are escaped.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with replacing(path) as unfinished:
        unfinished.write_bytes(data)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Create a hidden folder beside `path` for temporary files, and remove it at the end."""
    folder = _hidden(path)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(
    folder: Path,
    name: str | None = None,
    *,
    below: bool = False,
    untouched_for: float | None = None,
) -> None:
    """Remove unfinished files and folders that killed processes left behind.

    Args:
        folder: Where to look; it may not exist.
        name: The file that the processes were writing; by default any.
        below: Whether to look into subfolders, too.
        untouched_for: Only remove what was not modified for this many seconds. By default
            everything is removed; that is safe only while holding a lock that all writers take.
    """
    stem, suffix = (r".+", r"(\.[^.]*)?") if name is None else map(re.escape, _parts(Path(name)))
    named = re.compile(rf"\.{stem}\.\w+{re.escape(UNFINISHED)}{suffix}", re.DOTALL)
    for left in list((folder.rglob if below else folder.glob)(f".*{UNFINISHED}*")):
        # The file vanishes if its writer finishes it just now.
        with suppress(OSError):
            if not named.fullmatch(left.name):
                continue
            if untouched_for is not None and time.time() - left.stat().st_mtime <= untouched_for:
                continue
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()


def _hidden(path: Path) -> Path:
    stem, suffix = _parts(path)
    return path.with_name(f".{stem}.{secrets.token_hex(8)}{UNFINISHED}{suffix}")


def _parts(path: Path) -> tuple[str, str]:
    return path.stem[:_LONGEST], path.suffix


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries are on the disk, where the system supports that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
