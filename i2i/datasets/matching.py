"""Finds the pairs of files in a folder, or unpaired inputs and targets; tells what was left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from i2i.datasets.dataset import Split
from i2i.datasets.layout import SIDES, Layout, Recognition
from i2i.datasets.nesting import nested
from i2i.datasets.written import Written
from i2i.errors import DataError, counted, few
from i2i.images.kinds import Kind, left_out
from i2i.images.listing import by_name, images_below

Files = tuple[Path, ...]
"""The files of a pair: one with both images side by side, or that of the input and the target."""

Sides = tuple[Mapping[str, Path], Mapping[str, Path]]
"""Inputs and targets that are unpaired, by name."""


@dataclass(frozen=True)
class Matched:
    """The pairs of files in a folder, or unpaired files.

    Args:
        layout: Where they lie.
        pairs: Their files by split and name; under None if they are not split yet.
        singles: The files of unpaired splits, likewise.
        problems: Files that can't be used or have no partner, with the reasons.
        left_out: A line for each group of files that were left out.
    """

    layout: Layout
    pairs: Mapping[Split | None, Mapping[str, Files]]
    singles: Mapping[Split | None, Sides]
    problems: list[str]
    left_out: list[str]


def match(
    root: Path,
    dirs: tuple[str, str] | None,
    side_by_side: bool | None,
    paired: bool | None = None,
) -> Matched:
    """Find the pairs in a folder, or its inputs and targets if they are unpaired.

    Two folders are unpaired if no file in one has the name of a file in the other.

    Args:
        root: The folder.
        dirs: The names of the folders of inputs and of targets; None recognises them.
        side_by_side: Whether pairs are side by side; None finds it out from the folders' names.
        paired: True if all files of two folders must have partners. False if they are unpaired
            also where some have one. None finds it out from the files' names.

    Raises:
        DataError: If it is not clear what the folders mean.
    """
    search = _Search(root, Written(root))
    recognition = Recognition(root, search.written)
    if dirs is not None:
        layout = recognition.of_sides(dirs)
        _check_there(layout, dirs)
    else:
        layout = recognition.of_pairs() if side_by_side else recognition.by_names()
    if side_by_side is False and not layout.two_folders:
        raise DataError(
            [
                f"{root}: no folders are recognised as inputs and targets: set data.input_dir and "
                "data.target_dir"
            ]
        )
    named = {
        split: [search.named(folder) for folder in folders]
        for split, folders in layout.folders.items()
    }
    if dirs is None and not side_by_side:
        _check(layout, named)
    unpaired = {split: own for split, own in named.items() if _are_unpaired(own, paired)}
    pairs = {
        split: search.matched(layout.folders[split], own)
        for split, own in named.items()
        if split not in unpaired
    }
    singles = {split: (own[0], own[1]) for split, own in unpaired.items()}
    return Matched(layout, pairs, singles, search.problems, list(search.left_out(layout)))


def _are_unpaired(named: list[dict[str, Path]], paired: bool | None) -> bool:
    """Whether the files in the folders of inputs and of targets are no pairs."""
    if len(named) == 1 or paired or not all(named):
        return False
    common = named[0].keys() & named[1].keys()
    return not common or (paired is False and named[0].keys() != named[1].keys())


@dataclass
class _Search:
    """Searches the folders of a data set."""

    root: Path
    written: Written
    problems: list[str] = field(default_factory=list)
    unread: dict[str, Kind] = field(default_factory=dict)

    def named(self, folder: Path) -> dict[str, Path]:
        """The images in a folder by name."""
        found = images_below(folder, self.root, leave_out=self.written)
        files, duplicates = by_name(found.files)
        self.problems += [*found.problems.values(), *duplicates]
        self.unread |= {self._name(file): kind for file, kind in found.unread.items()}
        return files

    def matched(self, folders: Files, named: list[dict[str, Path]]) -> dict[str, Files]:
        """The files of each pair in one folder, or in the folders of inputs and of targets."""
        if len(named) == 1:
            return {name: (file,) for name, file in named[0].items()}
        (inputs, targets), (left, right) = folders, named
        self.problems += [f"{left[n]}: has no partner in {targets}" for n in left if n not in right]
        self.problems += [f"{right[n]}: has no partner in {inputs}" for n in right if n not in left]
        self.problems += [
            f"{folder}: there are no images in it"
            for folder, names in zip(folders, named, strict=True)
            if not names and any(named)
        ]
        return {name: (left[name], right[name]) for name in left if name in right}

    def left_out(self, layout: Layout) -> Iterator[str]:
        used = {folder for folders in layout.folders.values() for folder in folders}
        if self.root not in used:
            others = images_below(
                self.root, leave_out=lambda path: path in used or self.written(path)
            ).files
            if others:
                names = few([self._name(file) for _, file in others])
                yield f"left out {counted(len(others), 'image')} in other folders: {names}"
        if self.written.found:
            names = few([self._name(folder) for folder in sorted(self.written.found)])
            number = counted(len(self.written.found), "folder")
            yield f"left out {number} that i2i wrote (runs, studies, translations): {names}"
        yield from left_out(self.unread)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def _check_there(layout: Layout, dirs: tuple[str, str]) -> None:
    """Raise a DataError if the named folder of a side is in no split."""
    problems = [
        f"data.{side}_dir: there is no folder {name} in {layout.root}"
        for side, name, folders in zip(
            SIDES, dirs, zip(*layout.folders.values(), strict=True), strict=True
        )
        if not any(folder.is_dir() for folder in folders)
    ]
    if problems:
        raise DataError(problems)


def _check(layout: Layout, named: Mapping[Split | None, list[dict[str, Path]]]) -> None:
    """Raise a DataError if folders that were only recognised leave open what the pairs are."""
    problems = [
        problem
        for split, folders in layout.folders.items()
        for folder, names in zip(folders, named[split], strict=True)
        if (problem := nested(folder, names, whole=split is None, pairs=len(folders) == 1))
    ]
    filled = {split: len(own) for split, own in named.items() if any(own)}
    if len(set(filled.values())) > 1:
        one, other = (
            ", ".join(str(split) for split, number in filled.items() if number == n) for n in (2, 1)
        )
        problems.append(
            f"{layout.root}: the folder of {one} has folders of inputs and targets, that of "
            f"{other} has none: give all splits the same layout"
        )
    if problems:
        raise DataError(problems)
