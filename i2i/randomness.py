"""Every source of randomness, each a function of what it depends on and of nothing else.

That is what makes a resumed run equal to one that was never stopped: there is no state to save.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What the random numbers are for, so that no two uses share them."""

    WEIGHTS = 0
    ORDER = 1
    AUGMENTATION = 2
    TRAINING_NOISE = 3
    TEST_NOISE = 4
    SYNTHETIC = 5


def rng(stream: Stream, *key: int) -> np.random.Generator:
    """Random numbers for one use, decided by the key: (seed, epoch), (seed, epoch, index), ..."""
    return np.random.default_rng((stream, len(key), *key))


def derived_seed(stream: Stream, *key: int) -> int:
    """A seed for torch's generators, decided by the key: (seed, step, rank), ..."""
    return int(rng(stream, *key).integers(2**63))
