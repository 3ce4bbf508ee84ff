"""Training batches, in an order computed from (seed, epoch) and prepared in advance by threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from i2i.batch import Batch
from i2i.datasets.augment import augment
from i2i.datasets.decoded import Decoded
from i2i.datasets.unpaired import Unpaired
from i2i.images.tensors import to_float
from i2i.images.types import Size
from i2i.randomness import Stream, rng

AHEAD_PER_WORKER = 2


class Loader:
    """Batches of the training split, one per step, starting at any step.

    Threads are sufficient: pairs are already decoded, and copying them releases Python's global
    lock.

    Args:
        images: The training images.
        batch_size: Pairs per batch, over all ranks. Those that do not fill a last batch are skipped
            in that epoch.
        crop: The size of the random crop.
        flip: Whether to mirror half of the images.
        seed: The seed of the run.
        rank: This process's rank; it selects this process's part of each batch.
        ranks: The number of processes that share a batch.
        workers: Threads that prepare batches in advance; 0 for none.
        pin_memory: Whether to store batches in page-locked memory, for CUDA.
    """

    def __init__(
        self,
        images: Decoded | Unpaired,
        *,
        batch_size: int,
        crop: Size,
        flip: bool,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        workers: int = 1,
        pin_memory: bool = False,
    ) -> None:
        self.images = images
        self.batch_size = batch_size
        self.crop = crop
        self.flip = flip
        self.seed = seed
        self.share = slice(
            rank * batch_size // ranks,
            (rank + 1) * batch_size // ranks,
        )
        self.workers = workers
        self.pin_memory = pin_memory
        self.steps_per_epoch = len(images) // batch_size

    def batches(self, first_step: int = 0) -> Iterator[Batch]:
        """Yield the batches of all steps from `first_step`, without end."""
        steps = count(first_step)
        if self.workers == 0:
            yield from map(self._batch, steps)
        # Each worker computes on one core, because the networks need the others. Fix the thread
        # count of this thread first: until then, torch uses the count last set in any thread.
        torch.get_num_threads()
        single = partial(torch.set_num_threads, 1)
        pool = ThreadPoolExecutor(self.workers, "batches", initializer=single)
        try:
            futures = [
                pool.submit(self._batch, step)
                for step in islice(steps, AHEAD_PER_WORKER * self.workers)
            ]
            while True:
                futures.append(pool.submit(self._batch, next(steps)))
                yield futures.pop(0).result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _batch(self, step: int) -> Batch:
        epoch, step_in_epoch = divmod(step, self.steps_per_epoch)
        first = step_in_epoch * self.batch_size
        indices = self._order(epoch)[first : first + self.batch_size][self.share].tolist()
        if isinstance(self.images, Decoded):
            return self._paired(self.images, epoch, indices)
        return self._unpaired(self.images, epoch, indices)

    def _paired(self, pairs: Decoded, epoch: int, indices: list[int]) -> Batch:
        images = self._ready(pairs, indices, epoch, indices)
        channels = pairs.input_channels
        names = tuple(pairs.names[i] for i in indices)
        return Batch(images[:, :channels], images[:, channels:], names)

    def _unpaired(self, images: Unpaired, epoch: int, indices: list[int]) -> Batch:
        drawn = [images.drawn(self.seed, epoch, i) for i in indices]
        inputs, targets = zip(*drawn, strict=True)
        return Batch(
            self._ready(images.inputs, inputs, epoch, indices, 0),
            self._ready(images.targets, targets, epoch, indices, 1),
            tuple(images.inputs.names[i] for i in inputs),
            tuple(images.targets.names[i] for i in targets),
        )

    def _ready(
        self,
        decoded: Decoded,
        chosen: Sequence[int],
        epoch: int,
        indices: Sequence[int],
        side: int | None = None,
    ) -> Tensor:
        """The chosen images as floats; `epoch`, `indices` and `side` seed the augmentation."""
        cut = augment(
            torch.from_numpy(decoded.array[list(chosen)]),
            indices,
            crop=self.crop,
            flip=self.flip,
            seed=self.seed,
            epoch=epoch,
            side=side,
        )
        images = to_float(cut)
        return images.pin_memory() if self.pin_memory else images

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return rng(Stream.ORDER, self.seed, epoch).permutation(len(self.images))
