"""The image files of a folder, and what keeps some of its files out."""

from collections.abc import Callable, Iterable
from pathlib import Path

from i2i.errors import DataError
from i2i.images import SUFFIXES
from i2i.system.files import safe_join

Named = tuple[str, Path]
"""A file's path inside its folder without suffix, and the file."""


def images_below(
    folder: Path, root: Path | None = None, *, leave_out: Callable[[Path], bool] = lambda _: False
) -> tuple[list[Named], dict[Path, str]]:
    """The image files below a folder, in the order of their paths.

    Hidden files and folders are left out, and files of other suffixes.

    Args:
        folder: Where to look; one that isn't there has no files.
        root: What links must not lead out of; None where files may be links to anywhere.
        leave_out: Which files and folders to leave out besides.

    Returns:
        The files; and what is wrong with others: links to folders, links that lead out of `root`,
        pipes and the like.
    """
    files: list[Named] = []
    problems: dict[Path, str] = {}
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = file.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or leave_out(file):
            continue
        if file.is_dir():
            if root is not None and file.is_symlink():
                problems[file] = f"{file}: is a link to a folder; put the folder itself there"
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
    """Files by their names, and what is wrong where several have one."""
    named: dict[str, Path] = {}
    problems = []
    for name, file in files:
        if name in named:
            problems.append(f"{file}: has the same name as {named[name].name}; keep one")
        else:
            named[name] = file
    return named, problems
