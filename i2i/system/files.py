"""Files: names that can't leave their folder, and files that are never half written."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from i2i.errors import DataError

UNFINISHED = ".unfinished"
"""What is in the names of files and folders that are being written."""

_LONGEST = 50  # characters; of four bytes each, they and the rest fit into a name's 255


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


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """A hidden path to write a file to, which becomes `path` in one go if nothing goes wrong.

    A reader sees the old file or the new one, never a part, and so does who comes after a power
    cut.

    Args:
        path: The file; its folder exists.
        sync: Whether to wait until the file is on the disk.

    Yields:
        A path beside it that nobody else writes to, with the same suffix.

    Raises:
        OSError: If it can't take its place.
    """
    unfinished = _hidden(path)
    try:
        yield unfinished
        if sync:
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
        unfinished.replace(path)
        if sync:
            _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink()


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path) as unfinished:
        unfinished.write_bytes(data)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """A hidden folder beside `path` for what is needed to make it; removed at the end."""
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
    """Remove what killed processes had not finished.

    Args:
        folder: Where; it need not exist.
        name: The file that they were writing; any by default.
        below: Whether to look into the folders inside it, too.
        untouched_for: Seconds after which a file is taken for left. By default all are removed:
            for who holds a lock that every writer takes.
    """
    stem, suffix = (r".+", r"(\.[^.]*)?") if name is None else map(re.escape, _parts(Path(name)))
    named = re.compile(rf"\.{stem}\.\w+{re.escape(UNFINISHED)}{suffix}", re.DOTALL)
    for left in list((folder.rglob if below else folder.glob)(f".*{UNFINISHED}*")):
        # Its writer may have just finished it.
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


def _sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
