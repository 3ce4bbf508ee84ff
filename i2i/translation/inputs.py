"""Finds the files to translate and names their outputs."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import DataError
from i2i.images import SUFFIXES
from i2i.images.listing import images_below


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
            files, links = images_below(path, path, leave_out=in_out)
            refused |= links
            prefix = f"{path.resolve().name}/" if several else ""
            found += [Input(file, prefix + name) for name, file in files]
            if not files and not links:
                problems.append(f"{each}: there are no images in it")
        elif path.is_file():
            found.append(Input(path, path.stem))
        elif glob.has_magic(str(each)):
            matching = _matching(path, in_out)
            found += matching
            if not matching:
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


def _matching(pattern: Path, in_out: _Inside) -> list[Input]:
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:first]) if first else Path()
    return [
        Input(root / match, Path(match).with_suffix("").as_posix())
        for match in glob.glob(str(Path(*parts[first:])), root_dir=root, recursive=True)  # noqa: PTH207
        if (root / match).is_file()
        and Path(match).suffix.lower() in SUFFIXES
        and not in_out(root / match)
    ]
