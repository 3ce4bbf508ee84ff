"""List the image files of a folder, and report files that can't be used."""

from collections.abc import Callable, Iterable
from pathlib import Path

from i2i.errors import DataError
from i2i.images import SUFFIXES
from i2i.system.files import safe_join

Named = tuple[str, Path]
"""A file's name and its path. The name is the path relative to the folder, without suffix."""


def images_below(
    folder: Path, root: Path | None = None, *, leave_out: Callable[[Path], bool] = lambda _: False
) -> tuple[list[Named], dict[Path, str]]:
    """List the image files in a folder and its subfolders, sorted by path.

    Skips hidden files and folders, and files with other suffixes.

    Args:
        folder: The folder to search; a missing folder has no files.
        root: Links must not lead out of this folder; None allows links to anywhere.
        leave_out: Returns true for other files and folders to skip.

    Returns:
        The files, and the problems by file: links to folders, links that lead out of `root`, and
        files that are not regular, such as pipes.
    """
    files: list[Named] = []
    problems: dict[Path, str] = {}
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = file.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or leave_out(file):
            continue
        if file.is_dir():
            if root is not None and file.is_symlink():
                problems[file] = f"{file}: is a link to a folder; replace it by the folder itself"
            continue
        if file.suffix.lower() not in SUFFIXES:
            continue
        try:
            if root is not None:
                safe_join(root, file.relative_to(root).as_posix())
        except DataError as error:
            problems[file] = f"{file}: {'; '.join(error.problems)}"
            continue
        if file.is_file():
            files.append((inside.with_suffix("").as_posix(), file))
        elif root is not None:
            problems[file] = f"{file}: is no regular file"
    return files, problems


def by_name(files: Iterable[Named]) -> tuple[dict[str, Path], list[str]]:
    """Map names to files, and report names that several files have."""
    named: dict[str, Path] = {}
    problems = []
    for name, file in files:
        if name in named:
            problems.append(f"{file}: has the same name as {named[name].name}; keep one")
        else:
            named[name] = file
    return named, problems
