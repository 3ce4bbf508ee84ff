"""The decoded splits of a run's data set."""

from collections.abc import Iterator
from dataclasses import dataclass

from i2i.datasets.dataset import SPLITS, Dataset, Split
from i2i.datasets.decoded import decode
from i2i.datasets.unpaired import decode_unpaired
from i2i.errors import DataError
from i2i.evaluation.translations import Images
from i2i.images.types import Size
from i2i.recipe import Recipe


@dataclass(frozen=True)
class Splits:
    """The decoded splits: training images at `augment.load_size`, the others at `crop_size`."""

    train: Images
    val: Images
    test: Images

    def __iter__(self) -> Iterator[tuple[Split, Images]]:
        """The splits by name."""
        yield "train", self.train
        yield "val", self.val
        yield "test", self.test

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each split's images, by the name of the split."""
        return {name: split.fingerprint for name, split in self}


def decode_splits(recipe: Recipe, dataset: Dataset) -> Splits:
    """Decode all splits, or load them from the cache of an earlier run.

    Raises:
        DataError: If images can't be read; it lists those of all splits.
    """
    sizes = {"train": recipe.augment.load, "val": recipe.augment.crop, "test": recipe.augment.crop}
    problems: list[str] = []
    decoded: dict[str, Images] = {}
    for split in SPLITS:
        try:
            decoded[split] = decode_split(recipe, dataset, split, sizes[split])
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    return Splits(**decoded)


def decode_split(recipe: Recipe, dataset: Dataset, split: Split, size: Size) -> Images:
    """Decode a split: its pairs, or its inputs and targets if it has none.

    Raises:
        DataError: If images can't be read, or one side has none.
    """
    if any(dataset.singles(split)):
        return decode_unpaired(dataset, split, size, on_bad=recipe.data.on_bad)
    return decode(dataset, split, size, on_bad=recipe.data.on_bad)


def steps_per_epoch(recipe: Recipe, images: Images) -> int:
    """Number of steps in one pass over the training images; an incomplete last batch is dropped.

    Raises:
        DataError: If there are fewer pairs, or images of the longer side, than `train.batch_size`.
    """
    steps = len(images) // recipe.train.batch_size
    if steps == 0:
        raise DataError(
            [
                f"the training split has {images.counts} {images.noun}, fewer than "
                f"train.batch_size {recipe.train.batch_size}"
            ]
        )
    return steps
