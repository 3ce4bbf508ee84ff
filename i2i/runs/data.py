"""The data of a run, decoded."""

from collections.abc import Iterator
from dataclasses import dataclass

from i2i.datasets.dataset import SPLITS, Dataset, Split
from i2i.datasets.decoded import Decoded, decode
from i2i.errors import DataError
from i2i.recipe import Recipe


@dataclass(frozen=True)
class Splits:
    """The decoded splits: training pairs at the loading size, the others at the networks' size."""

    train: Decoded
    val: Decoded
    test: Decoded

    def __iter__(self) -> Iterator[tuple[Split, Decoded]]:
        """The splits by name."""
        yield "train", self.train
        yield "val", self.val
        yield "test", self.test

    @property
    def fingerprints(self) -> dict[str, str]:
        """What tells each split's pairs from others."""
        return {name: split.fingerprint for name, split in self}


def decode_splits(recipe: Recipe, dataset: Dataset) -> Splits:
    """Decode all splits, or read what an earlier run has kept.

    Raises:
        DataError: Listing every image of any split that can't be read.
    """
    sizes = {"train": recipe.augment.load, "val": recipe.augment.crop, "test": recipe.augment.crop}
    problems: list[str] = []
    decoded: dict[str, Decoded] = {}
    for split in SPLITS:
        try:
            decoded[split] = decode(dataset, split, sizes[split], on_bad=recipe.data.on_bad)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    return Splits(**decoded)


def steps_per_epoch(recipe: Recipe, pairs: Decoded) -> int:
    """Updates in a pass over the training pairs.

    Raises:
        DataError: If there are fewer pairs than one update takes.
    """
    steps = len(pairs.names) // recipe.train.batch_size
    if steps == 0:
        raise DataError(
            [
                f"the training split has {len(pairs.names)} pairs, fewer than train.batch_size "
                f"{recipe.train.batch_size}"
            ]
        )
    return steps
