"""Training steps as i2i takes them in `i2i run`."""

import time
from collections.abc import Iterator

import torch

from benchmarks.networks import trainer
from i2i.batch import Batch
from i2i.datasets.decoded import Decoded
from i2i.datasets.loader import Loader
from i2i.datasets.unpaired import Unpaired
from i2i.recipe import Recipe
from i2i.system.memory import keep_freed_memory
from i2i.training.log import Meter


def steps_of(recipe: Recipe, images: Decoded | Unpaired) -> Iterator[float]:
    """Train a recipe on decoded images; batches are cropped while the previous step runs.

    Yields:
        After every step, the seconds that it waited for data.
    """
    keep_freed_memory(torch.device("cpu"))
    meter = Meter()
    training = trainer(recipe, len(images))
    loader = Loader(
        images,
        batch_size=recipe.train.batch_size,
        crop=recipe.augment.crop,
        flip=True,
        seed=0,
    )
    batches = loader.batches()
    while True:
        began = time.perf_counter()
        with meter.waiting():
            batch = next(batches)
        waited = time.perf_counter() - began
        meter.add(training.update(batch, _no_files), recipe.train.batch_size)
        yield waited
        meter.restart_clock()


def _no_files(_: Batch) -> str:
    return ""
