"""Checks of data sets: stable splits, safe names, and the images that are promised."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import PurePosixPath

import numpy as np

from i2i.datasets.dataset import SPLITS, Dataset, Pair, Single, Split
from i2i.images.types import Array, Size
from i2i.testing.check import Check
from i2i.testing.subject import Subject

SIZES: tuple[Size, ...] = ((32, 32), (24, 40))

DECODED = 2
"""Number of images of each list that are decoded."""

Lists = dict[tuple[Split, str], Sequence[Pair | Single]]
"""The images of every split, by split and side: pairs, inputs or targets."""


def promises_are_valid(subject: Subject) -> None:
    """Channels, type and kind of the images are given, and there are training images."""
    dataset = _dataset(subject)
    for name in ("input_channels", "target_channels"):
        value = getattr(dataset, name)
        subject.require(
            isinstance(value, int) and value > 0, f"has {name} {value!r}: use a number from 1"
        )
    subject.require(
        dataset.dtype in (np.uint8, np.uint16),
        f"has dtype {dataset.dtype!r}: use numpy.uint8 or numpy.uint16",
    )
    lists = _lists(dataset)
    for side in ("pairs",) if dataset.paired else ("inputs", "targets"):
        subject.require(
            bool(lists["train", side]),
            f"has no {side} for training, but paired is {dataset.paired}",
        )


def is_stable(subject: Subject) -> None:
    """A second construction gives the same names and digests in the same order."""
    first, second = (_lists(_dataset(subject)) for _ in range(2))
    for (split, side), items in first.items():
        others = second[split, side]
        where = f"the {side} of '{split}'"
        subject.require(
            [item.name for item in items] == [item.name for item in others],
            f"gives {where} other names, or another order, when it is built again",
        )
        subject.require(
            [item.digest() for item in items] == [item.digest() for item in others],
            f"gives {where} other digests when it is built again",
        )


def names_are_safe(subject: Subject) -> None:
    """Names are unique, and relative paths that are safe as file names."""
    for (split, side), items in _lists(_dataset(subject)).items():
        seen: set[str] = set()
        for item in items:
            subject.require(
                item.name.casefold() not in seen,
                f"has the name '{item.name}' twice among the {side} of '{split}'",
            )
            seen.add(item.name.casefold())
            subject.require(
                _is_safe(item.name),
                f"has the name {item.name!r} in '{split}', which is unsafe as a file name: use a "
                "relative path with '/', without '..' and backslashes",
            )


def splits_are_disjoint(subject: Subject) -> None:
    """No image is in two splits, judged by its digest."""
    found: dict[tuple[Split, str], dict[bytes, str]] = {}
    for place, items in _lists(_dataset(subject)).items():
        found[place] = {}
        for item in items:
            digest = item.digest()
            subject.require(
                isinstance(digest, bytes) and len(digest) == 32,
                f"gives '{item.name}' the digest {digest!r}: return the 32 bytes of a SHA-256",
            )
            found[place][digest] = item.name
    for (one, side), (other, same) in combinations(found, 2):
        if side == same:
            for digest, name in found[one, side].items():
                subject.require(
                    digest not in found[other, side], f"has '{name}' of '{one}' in '{other}' too"
                )


def images_are_as_promised(subject: Subject) -> None:
    """Decoded images have the asked size and the promised channels and type, every time."""
    first, second = _dataset(subject), _dataset(subject)
    again = _lists(second)
    for (split, side), items in _lists(first).items():
        for item, other in list(zip(items, again[split, side], strict=True))[:DECODED]:
            for size in SIZES:
                with subject.doing(f"can't decode '{item.name}' of '{split}' at {size}"):
                    arrays, repeated = _decoded(item, size), _decoded(other, size)
                for array, channels in zip(arrays, _channels(first, side), strict=True):
                    expected = (*size, channels)
                    subject.require(
                        array.shape == expected and array.dtype == first.dtype,
                        f"decodes '{item.name}' of '{split}' to {array.dtype} {array.shape} "
                        f"instead of {np.dtype(first.dtype)} {expected}",
                    )
                subject.require(
                    all(map(np.array_equal, arrays, repeated)),
                    f"decodes '{item.name}' of '{split}' to other values the second time",
                )


def _dataset(subject: Subject) -> Dataset:
    dataset: object = subject.build(paired=subject.paired)
    subject.require(
        isinstance(dataset, Dataset), f"is no data set: derive from i2i.Dataset, not {dataset!r}"
    )
    assert isinstance(dataset, Dataset)
    return dataset


def _lists(dataset: Dataset) -> Lists:
    lists: Lists = {}
    for split in SPLITS:
        inputs, targets = dataset.singles(split)
        sides: tuple[Sequence[Pair | Single], ...] = (dataset.pairs(split), inputs, targets)
        lists |= {(split, side): items for side, items in zip(_SIDES, sides, strict=True)}
    return lists


_SIDES = ("pairs", "inputs", "targets")


def _channels(dataset: Dataset, side: str) -> tuple[int, ...]:
    channels = {"inputs": (dataset.input_channels,), "targets": (dataset.target_channels,)}
    return channels.get(side, (dataset.input_channels, dataset.target_channels))


def _decoded(item: Pair | Single, size: Size) -> Sequence[Array]:
    return item.load(size) if isinstance(item, Pair) else (item.load(size),)


def _is_safe(name: str) -> bool:
    return (
        bool(name)
        and not any(part in ("", ".", "..") for part in name.split("/"))
        and not PurePosixPath(name).is_absolute()
        and not set(name) & _UNSAFE
    )


_UNSAFE = frozenset([*'\\:*?"<>|', *map(chr, range(32))])
"""Characters that no name may have: separators and wildcards of some system, and control codes."""

CHECKS = (
    Check("promises", promises_are_valid),
    Check("stability", is_stable),
    Check("names", names_are_safe),
    Check("disjoint splits", splits_are_disjoint),
    Check("images", images_are_as_promised),
)
