"""Finds the files to translate and names their outputs."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import DataError
from i2i.images import SUFFIXES
from i2i.images.kinds import Kind, kind_by_name
from i2i.images.listing import images_below, problem_of


@dataclass(frozen=True)
class Input:
    """A file to translate.

    Args:
        file: Its path.
        name: The name of its output: a relative path with `/` and without suffix.
    """

    file: Path
    name: str


def find_inputs(
    given: Sequence[Path | str], out: Path | None = None
) -> tuple[list[Input], dict[Path, str]]:
    """Find the images that files, folders and patterns stand for.

    A file stands for itself. A folder stands for all images below it; the outputs keep its layout.
    With several folders, the outputs of each go into a subfolder with its name. A pattern
    (`photos/*.jpg`; `**` matches any folders) stands for the images that it matches; the outputs
    keep the layout from its first `*` on.

    Args:
        given: Files, folders and patterns.
        out: The output folder, if any; images in it are not inputs.

    Returns:
        The inputs sorted by name, without duplicates, and the refused files with the reasons.

    Raises:
        DataError: If an input is empty or missing, is the output folder, or contains no images.
    """
    problems: list[str] = []
    refused: dict[Path, str] = {}
    found: list[Input] = []
    several = sum(Path(each).is_dir() for each in given if str(each)) > 1
    in_out = _Inside(out)
    for each in given:
        path = Path(each)
        if not str(each):
            problems.append("an input is empty: give a file, a folder or a pattern")
        elif path.is_dir():
            if out is not None and path.resolve() == out.resolve():
                problems.append(f"{each}: is also the output folder; choose another --out")
                continue
            listing = images_below(path, path, leave_out=in_out)
            refused |= listing.problems | _unread(listing.unread)
            prefix = f"{path.resolve().name}/" if several else ""
            found += [Input(file, prefix + name) for name, file in listing.files]
            if not listing.files and not listing.problems and not listing.unread:
                problems.append(f"{each}: there are no images in it")
        elif path.is_file() and (kind := kind_by_name(path)):
            refused |= _unread({path: kind})
        elif path.is_file():
            found.append(Input(path, path.stem))
        elif glob.has_magic(str(each)):
            matching, others = _matching(path, in_out)
            found += matching
            refused |= others
            if not matching and not others:
                problems.append(f"{each}: no image matches it")
        else:
            problems.append(f"{each}: there is no such file or folder")
    if problems:
        raise DataError(problems)
    once = {(one.file.resolve(), one.name): one for one in found}
    return sorted(once.values(), key=lambda one: one.name), refused


class _Inside:
    """Whether a path lies in the output folder, which may itself lie in an input folder."""

    def __init__(self, out: Path | None) -> None:
        self.out = out.resolve() if out is not None else None

    def __call__(self, path: Path) -> bool:
        if self.out is None:
            return False
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):  # a link to itself
            return False
        return resolved == self.out or self.out in resolved.parents


def _matching(pattern: Path, in_out: _Inside) -> tuple[list[Input], dict[Path, str]]:
    """The images that match a pattern, and the refused files with the reasons."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:first]) if first else Path()
    found: list[Input] = []
    refused: dict[Path, str] = {}
    for match in glob.glob(str(Path(*parts[first:])), root_dir=root, recursive=True):  # noqa: PTH207
        file = root / match
        if file.is_dir() or in_out(file):
            continue
        if problem := problem_of(file):
            refused[file] = f"{file}: {problem}"
        elif file.suffix.lower() in SUFFIXES:
            found.append(Input(file, Path(match).with_suffix("").as_posix()))
        elif kind := kind_by_name(file):
            refused |= _unread({file: kind})
    return found, refused


def _unread(files: Mapping[Path, Kind]) -> dict[Path, str]:
    return {file: f"{file}: {kind.sentence}" for file, kind in files.items()}
