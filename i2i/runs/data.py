"""The decoded splits of a run's data set."""

from collections.abc import Iterator
from dataclasses import dataclass

from i2i.datasets.dataset import SPLITS, Dataset, Split
from i2i.datasets.decoded import Decoded, decode
from i2i.errors import DataError
from i2i.recipe import Recipe


@dataclass(frozen=True)
class Splits:
    """The decoded splits: training pairs at `augment.load_size`, the others at `crop_size`."""

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
        """The fingerprint of each split's pairs, by the name of the split."""
        return {name: split.fingerprint for name, split in self}


def decode_splits(recipe: Recipe, dataset: Dataset) -> Splits:
    """Decode all splits, or load them from the cache of an earlier run.

    Raises:
        DataError: If images can't be read; it lists those of all splits.
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
    """Number of steps in one pass over the training pairs; an incomplete last batch is dropped.

    Raises:
        DataError: If there are fewer pairs than `train.batch_size`.
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
