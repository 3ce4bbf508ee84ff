"""Subfolders that look like splits or sides where none are expected: refused, never guessed."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path, PurePath

from i2i.datasets.layout import means_split, settled, side_of

MOST = 3
"""Largest number of folders with the same file names that may be the sides of pairs. More of them
are rather scenes or classes, numbered alike."""


def nested(folder: Path, names: Iterable[str], *, whole: bool, pairs: bool) -> str | None:
    """Why the subfolders of a folder leave open what its pairs are; None if they don't.

    Args:
        folder: The folder.
        names: The relative paths of its images without suffix, with `/`.
        whole: Whether its images are split by a hash, so that no subfolder may be a split.
        pairs: Whether its images are pairs side by side, so that no subfolders may be sides.
    """
    for home, children in _subfolders(names).items():
        where, deep = folder / home, home != PurePath()
        splits = [name for name in children if means_split(name)]
        if whole and splits:
            remedy = f'set data.root = "{where}"' if pairs else "move them there"
            return (
                f"{where}: has folders named like splits ({', '.join(sorted(splits))}), which are "
                f"expected in {folder}: {remedy}, or rename them"
            )
        sides = _sides(children) if pairs else None
        if sides is not None:
            look = f"{where}: {' and '.join(sides)} look like the two sides of pairs"
            if not deep:
                return f"{look}: set {settled(*sides)}"
            remedy = f'set data.root = "{where}"' if whole else f"move them to {folder}"
            return (
                f"{look}, which are expected in {folder}: {remedy}, or set data.side_by_side = "
                "true if each file holds both images of a pair"
            )
    return None


def _subfolders(names: Iterable[str]) -> dict[PurePath, dict[str, set[str]]]:
    """The names of the images in each subfolder, by the folder that it is in."""
    found: dict[PurePath, dict[str, set[str]]] = {}
    for name in names:
        parts = PurePath(name).parts
        for depth in range(len(parts) - 1):
            siblings = found.setdefault(PurePath(*parts[:depth]), {})
            siblings.setdefault(parts[depth], set()).add("/".join(parts[depth + 1 :]))
    return found


def _sides(folders: Mapping[str, set[str]]) -> tuple[str, str] | None:
    """Two folders that seem to hold inputs and targets, by their names or by their files."""
    known = {side_of(name): name for name in folders}
    if "input" in known and "target" in known:
        return known["input"], known["target"]
    if len(folders) > MOST:
        return None
    for one, other in combinations(folders, 2):
        shared = folders[one] & folders[other]
        if 2 * len(shared) >= min(len(folders[one]), len(folders[other])):
            first_is_target = side_of(one) == "target" or side_of(other) == "input"
            return (other, one) if first_is_target else (one, other)
    return None
