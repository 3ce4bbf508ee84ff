"""Paired data as unpaired training data: inputs and targets from disjoint halves of the pairs."""

import os
from collections.abc import Callable
from functools import partial
from hashlib import sha256

from i2i.datasets.dataset import Dataset, Pair, Single, Split
from i2i.images.types import Array, Size


class Halved(Dataset):
    """A paired data set whose training images are unpaired.

    One half of the training pairs gives the inputs, the other half the targets, so that no pair is
    seen whole. A hash of the names decides. The other splits keep their pairs.

    Args:
        dataset: The paired data set.
    """

    def __init__(self, dataset: Dataset) -> None:
        for name in Dataset.__annotations__:
            setattr(self, name, getattr(dataset, name))
        self.paired = False
        self.remarks = (
            *dataset.remarks,
            "unpaired (data.paired = false): inputs from one half of the training pairs, targets "
            "from the other",
        )
        self._dataset = dataset

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split; none for the training."""
        return [] if split == "train" else self._dataset.pairs(split)

    def singles(self, split: Split) -> tuple[list[Single], list[Single]]:
        """The images of an unpaired split; those of the training in the order of the pairs."""
        if split != "train":
            return self._dataset.singles(split)
        pairs = self._dataset.pairs(split)
        hashed = sorted(pairs, key=lambda pair: sha256(os.fsencode(pair.name)).digest())
        halves = {pair.name for pair in hashed[0::2]}, {pair.name for pair in hashed[1::2]}
        inputs, targets = (
            [_single(pair, side) for pair in pairs if pair.name in half]
            for side, half in enumerate(halves)
        )
        return inputs, targets


def _single(pair: Pair, side: int) -> Single:
    return Single(
        pair.name, partial(_load, pair.load, side), partial(_digest, pair.digest, side), pair.files
    )


def _load(load: Callable[[Size], tuple[Array, Array]], side: int, size: Size) -> Array:
    return load(size)[side]


def _digest(digest: Callable[[], bytes], side: int) -> bytes:
    return sha256(bytes([side]) + digest()).digest()
