"""The image files of a folder, and what keeps some of its files out."""

from collections.abc import Callable
from pathlib import Path

from i2i.datasets.images import SUFFIXES
from i2i.errors import DataError
from i2i.files import safe_join


def images_below(
    folder: Path, root: Path | None = None, *, leave_out: Callable[[Path], bool] = lambda _: False
) -> tuple[dict[str, Path], list[str]]:
    """The image files below a folder by their path inside it without suffix, sorted by it.

    Hidden files and folders are left out, and files of other suffixes.

    Args:
        folder: Where to look; one that isn't there has no files.
        root: What links must not lead out of; None where files may be links to anywhere.
        leave_out: Which files and folders to leave out besides.

    Returns:
        The files, the first where several have one name; and what is wrong with others: links that
        lead out of `root`, links to folders, names that an earlier file has.
    """
    files: dict[str, Path] = {}
    problems: list[str] = []
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = file.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or leave_out(file):
            continue
        if file.is_dir():
            if root is not None and file.is_symlink():
                problems.append(f"{file}: is a link to a folder; put the folder itself there")
            continue
        if file.suffix.lower() not in SUFFIXES:
            continue
        try:
            if root is not None:
                safe_join(root, file.relative_to(root).as_posix())
        except DataError as error:
            problems += error.problems
            continue
        name = inside.with_suffix("").as_posix()
        if name in files:
            problems.append(f"{file}: has the same name as {files[name].name}; keep one")
        else:
            files[name] = file
    return files, problems
