"""What is to be translated: files, folders and patterns, and the names of their outputs."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.datasets.images import SUFFIXES
from i2i.datasets.listing import images_below
from i2i.errors import DataError


@dataclass(frozen=True)
class Input:
    """A file to translate.

    Args:
        file: Where it is.
        name: What its output is called: a relative path with `/` and no suffix.
    """

    file: Path
    name: str


def find_inputs(given: Sequence[Path | str], out: Path) -> tuple[list[Input], dict[str, str]]:
    """The files that inputs mean, and which of them can't be translated.

    A folder stands for all images below it, whose outputs are laid out like it; with several
    folders, each has a folder of its name. A file stands for itself; a pattern (`photos/*.jpg`,
    `**` for any folders) for the images that it matches, laid out from its first `*` on.

    Args:
        given: Files, folders and patterns.
        out: The folder of outputs; images in it are no inputs.

    Returns:
        The inputs in the order of their names, each file once; and for those that stay out, why.

    Raises:
        DataError: If an input is nothing, or there are no images in it.
    """
    problems: list[str] = []
    refused: dict[str, str] = {}
    found: list[Input] = []
    several = sum(Path(each).is_dir() for each in given) > 1
    for each in given:
        path = Path(each)
        if path.is_dir():
            files, links = images_below(path, path, leave_out=_Inside(out, path))
            refused |= {problem.partition(":")[0]: problem for problem in links}
            prefix = f"{path.resolve().name}/" if several else ""
            some = [Input(file, prefix + name) for name, file in files.items()]
            if not files and not links:
                problems.append(f"{each}: there are no images in it")
        elif path.is_file():
            some = [Input(path, path.stem)]
        elif glob.has_magic(str(each)):
            some = _matching(path, out)
            if not some:
                problems.append(f"{each}: no image matches it")
        else:
            some = []
            problems.append(f"{each}: there is no such file or folder")
        found += some
    if problems:
        raise DataError(problems)
    return sorted(_each_once(found), key=lambda one: one.name), refused


class _Inside:
    """Whether a path lies in the folder of outputs, which may be inside the one of inputs."""

    def __init__(self, out: Path, folder: Path) -> None:
        self.out = out.resolve()
        self.possible = folder.resolve() in self.out.parents

    def __call__(self, path: Path) -> bool:
        return self.possible and (self.out in path.resolve().parents or path.resolve() == self.out)


def _matching(pattern: Path, out: Path) -> list[Input]:
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:first]) if first else Path()
    inside = _Inside(out, root)
    return [
        Input(root / match, Path(match).with_suffix("").as_posix())
        for match in glob.glob(str(Path(*parts[first:])), root_dir=root, recursive=True)  # noqa: PTH207
        if (root / match).is_file()
        and Path(match).suffix.lower() in SUFFIXES
        and not inside(root / match)
    ]


def _each_once(inputs: Sequence[Input]) -> list[Input]:
    return list({(one.file.resolve(), one.name): one for one in inputs}.values())
