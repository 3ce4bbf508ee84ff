"""Recognition of splits and sides (input and target) by the usual names of their folders."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, TypeVar

from i2i.datasets.dataset import SPLITS, Split
from i2i.errors import DataError

Side = Literal["input", "target"]
SIDES: tuple[Side, Side] = ("input", "target")
Meaning = TypeVar("Meaning", Split, tuple[Split, Side])

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_SIDES: dict[str, Side] = {
    **dict.fromkeys(("a", "in", "input", "inputs", "source", "sources", "src"), SIDES[0]),
    **dict.fromkeys(("b", "out", "output", "outputs", "target", "targets", "tgt", "gt"), SIDES[1]),
}
_BOTH: dict[str, tuple[Split, Side]] = {
    gap.join(names): (_SPLITS[split], _SIDES[side])
    for split, side, gap in product(_SPLITS, _SIDES, ("", "_", "-", ".", " "))
    for names in ((split, side), (side, split))
    if gap or names[0] == split
}
"""Names for a side of a split, such as `traina`, `train_a` and `a_train`."""


@dataclass(frozen=True)
class Layout:
    """Where the images of a data set lie.

    Args:
        root: The folder of the data set.
        folders: By split, the folder of pairs side by side, or the folders of inputs and of
            targets. If pairs are split by a hash of their names, these are under None.
    """

    root: Path
    folders: Mapping[Split | None, tuple[Path, ...]]

    @property
    def two_folders(self) -> bool:
        """Whether the images of a pair are two files."""
        return any(len(folders) == 2 for folders in self.folders.values())

    def describe(self, input_side: str, unpaired: Collection[Split | None] = ()) -> str:
        """The layout in one line.

        Args:
            input_side: Which half of a side-by-side image is the input.
            unpaired: The splits whose inputs and targets are unpaired.
        """
        if unpaired:
            names = ", ".join(split or "all" for split in unpaired)
            how = f"unpaired in {names}: the files of inputs and targets have different names"
            return f"{how}; {'; '.join(self._places())}"
        if self.two_folders:
            how = "two files of the same name (data.input_dir, data.target_dir)"
        else:
            how = f"side by side in each file, the input on the {input_side} (data.input_side)"
        return f"pairs: {how}; {'; '.join(self._places())}"

    def _places(self) -> Iterator[str]:
        for split, folders in self.folders.items():
            names = [folder.relative_to(self.root).as_posix() for folder in folders]
            where = f"{names[0]} (input) and {names[1]} (target)" if len(names) == 2 else names[0]
            if split is not None:
                yield f"{split} from {where}"
            else:
                yield ("" if where == "." else f"from {where}, ") + "split by a hash of their names"


class Recognition:
    """Finds the folders of a data set by their names.

    All methods raise a DataError if two folders have the same meaning.

    Args:
        root: The folder of the data set.
        leave_out: Returns true for folders that don't count.
    """

    def __init__(self, root: Path, leave_out: Callable[[Path], bool]) -> None:
        self.root = root
        self.leave_out = leave_out

    def by_names(self) -> Layout:
        """The layout that the folders' names tell; pairs side by side if they tell nothing.

        Raises:
            DataError: If the names tell several layouts, or a folder is missing.
        """
        splits = self._named(self.root, _SPLITS)
        sides = self.sides_in(self.root)
        both = self._named(self.root, _BOTH)
        told = [way for way in ((*splits.values(),), sides, (*both.values(),)) if way]
        if len(told) > 1:
            names = " and ".join(", ".join(path.name for path in way) for way in told)
            keys = settled(sides[0].name, sides[1].name) if sides else "data.side_by_side = true"
            raise DataError(
                [
                    f"{self.root}: {names} are names of different layouts: keep the folders of "
                    f"one in data.root, or set {keys}"
                ]
            )
        if both:
            return Layout(self.root, self._complete(both))
        if sides:
            return self.of_sides((sides[0].name, sides[1].name))
        folders: dict[Split | None, tuple[Path, ...]] = {
            split: self.sides_in(path) or (path,) for split, path in splits.items()
        }
        return Layout(self.root, folders or {None: (self.root,)})

    def of_pairs(self) -> Layout:
        """The layout of pairs side by side."""
        folders: dict[Split | None, tuple[Path, ...]] = {
            split: (path,) for split, path in self._named(self.root, _SPLITS).items()
        }
        return Layout(self.root, folders or {None: (self.root,)})

    def of_sides(self, dirs: tuple[str, str]) -> Layout:
        """The layout with folders of these names for the inputs and the targets."""
        sides = self.root / dirs[0], self.root / dirs[1]
        inside = self._named(sides[0], _SPLITS), self._named(sides[1], _SPLITS)
        folders: dict[Split | None, tuple[Path, ...]] = {
            split: tuple(
                own.get(split, side / split) for own, side in zip(inside, sides, strict=True)
            )
            for split in SPLITS
            if split in inside[0] or split in inside[1]
        }
        if folders:
            return Layout(self.root, folders)
        for split, path in self._named(self.root, _SPLITS).items():
            if (path / dirs[0]).is_dir() or (path / dirs[1]).is_dir():
                folders[split] = path / dirs[0], path / dirs[1]
        return Layout(self.root, folders or {None: sides})

    def sides_in(self, folder: Path) -> tuple[Path, Path] | None:
        """The folders of the inputs and of the targets in a folder; None unless there are both."""
        inputs, targets = (
            [path for path in self._folders_in(folder) if side_of(path.name) == side]
            for side in SIDES
        )
        if not inputs or not targets:
            return None
        if len(inputs) + len(targets) > 2:
            names = ", ".join(path.name for path in (*inputs, *targets))
            keys = settled(inputs[0].name, targets[0].name)
            raise DataError([f"{folder}: {names} all mean inputs or targets: set {keys}"])
        return inputs[0], targets[0]

    def _complete(
        self, both: Mapping[tuple[Split, Side], Path]
    ) -> dict[Split | None, tuple[Path, ...]]:
        problems = [
            f"{path}: {self.root} has no folder for the {other}s of {split}, such as "
            f"{split}{letter}"
            for (split, side), path in both.items()
            for other, letter in zip(SIDES, "AB", strict=True)
            if (split, other) not in both
        ]
        if problems:
            raise DataError(problems)
        return {split: (both[split, "input"], both[split, "target"]) for split, _ in both}

    def _named(self, folder: Path, meanings: Mapping[str, Meaning]) -> dict[Meaning, Path]:
        """The folders in a folder by what their names mean, in the order of the meanings."""
        found: dict[Meaning, Path] = {}
        for path in self._folders_in(folder):
            meaning = meanings.get(path.name.casefold())
            if meaning is None:
                continue
            if meaning in found:
                names = f"{found[meaning].name} and {path.name}"
                what = meaning if isinstance(meaning, str) else f"the {meaning[1]}s of {meaning[0]}"
                raise DataError([f"{folder}: {names} both mean {what}: keep one of them"])
            found[meaning] = path
        return {each: found[each] for each in dict.fromkeys(meanings.values()) if each in found}

    def _folders_in(self, folder: Path) -> list[Path]:
        if not folder.is_dir():
            return []
        return [
            path
            for path in sorted(folder.iterdir())
            if path.is_dir() and not path.name.startswith(".") and not self.leave_out(path)
        ]


def means_split(name: str) -> bool:
    """Whether a folder's name means a split, or a side of a split."""
    return name.casefold() in _SPLITS or name.casefold() in _BOTH


def side_of(name: str) -> Side | None:
    """The side that a folder's name means, if any."""
    return _SIDES.get(name.casefold())


def settled(inputs: str, targets: str) -> str:
    """The keys that settle where the images of each pair lie."""
    return (
        f'data.input_dir = "{inputs}" and data.target_dir = "{targets}" if these hold the two '
        "images of each pair, or data.side_by_side = true if each file holds both"
    )
