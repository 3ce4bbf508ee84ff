"""List the image files of a folder, and report files that can't be used."""

import os
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from i2i.errors import DataError
from i2i.images import SUFFIXES
from i2i.images.kinds import Kind, kind_by_name
from i2i.system.files import safe_join

Named = tuple[str, Path]
"""A file's name and its path. The name is the path relative to the folder, without suffix."""


@dataclass(frozen=True)
class Listing:
    """What is in a folder and its subfolders.

    Args:
        files: The image files, sorted by path.
        problems: What can't be used, with the reasons: links to folders, links to nothing, links
            that lead out of the root, folders that can't be listed, and files that are not regular,
            such as pipes.
        unread: Files of a kind that holds pictures, but that i2i does not read.
    """

    files: list[Named] = field(default_factory=list)
    problems: dict[Path, str] = field(default_factory=dict)
    unread: dict[Path, Kind] = field(default_factory=dict)


def images_below(
    folder: Path, root: Path | None = None, *, leave_out: Callable[[Path], bool] = lambda _: False
) -> Listing:
    """List the image files in a folder and its subfolders.

    Skips hidden files and folders, and files that hold no pictures.

    Args:
        folder: The folder to search; a missing folder has no files.
        root: Links must not lead out of this folder; None allows links to anywhere.
        leave_out: Returns true for other files and folders to skip.
    """
    found = Listing()
    for file in sorted(_below(folder, leave_out, found.problems)):
        problem = problem_of(file, root)
        if problem is not None:
            found.problems[file] = f"{file}: {problem}"
        elif file.suffix.lower() in SUFFIXES:
            found.files.append((file.relative_to(folder).with_suffix("").as_posix(), file))
        elif (kind := kind_by_name(file)) is not None and file.is_file():
            found.unread[file] = kind
    return found


def by_name(files: Iterable[Named]) -> tuple[dict[str, Path], list[str]]:
    """Map names to files, and report names that several files have.

    Systems write accented letters in different ways (Unicode's forms NFC and NFD); the names here
    are all in the form NFC, so that they can be compared.
    """
    named: dict[str, Path] = {}
    problems = []
    for own, file in files:
        name = unicodedata.normalize("NFC", own)
        if name not in named:
            named[name] = file
            continue
        same = named[name]
        how = "" if file.stem == same.stem else " in another Unicode form"
        problems.append(f"{file}: has the same name as {same.name}{how}; keep one")
    return named, problems


def _below(
    folder: Path, leave_out: Callable[[Path], bool], problems: dict[Path, str]
) -> Iterable[Path]:
    """All files below a folder and all links to folders, in any order."""

    def unlistable(error: OSError) -> None:
        if Path(error.filename) != folder or folder.is_dir():
            problems[Path(error.filename)] = f"{error.filename}: can't be listed: {error.strerror}"

    def wanted(path: Path) -> bool:
        return not path.name.startswith(".") and not leave_out(path)

    for home, folders, files in os.walk(folder, onerror=unlistable):
        inside = [path for path in (Path(home, name) for name in folders) if wanted(path)]
        folders[:] = [path.name for path in inside]
        yield from (path for path in inside if path.is_symlink())
        yield from (path for path in (Path(home, name) for name in files) if wanted(path))


def problem_of(file: Path, root: Path | None = None) -> str | None:
    """Why a link or a file with an image's suffix can't be used; None if it can, and for others.

    Args:
        file: A file, or a link to anything.
        root: Links must not lead out of this folder; None allows links to anywhere.
    """
    if file.is_symlink():
        if file.is_dir():
            return "is a link to a folder; replace it by the folder itself"
        if not file.exists() and file.suffix.lower() in {"", *SUFFIXES}:
            return f"is a link to {file.readlink()}, which is not there; restore or remove it"
    if file.suffix.lower() not in SUFFIXES:
        return None
    if root is not None:
        try:
            safe_join(root, file.relative_to(root).as_posix())
        except DataError as error:
            return "; ".join(error.problems)
    return None if file.is_file() else "is no regular file"
