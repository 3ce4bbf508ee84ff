"""All random number generators; each one depends only on its purpose and an explicit key.

There is no state to save. Therefore a resumed run equals a run that was never stopped.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The purposes of random numbers; different purposes get different numbers."""

    WEIGHTS = 0
    ORDER = 1
    AUGMENTATION = 2
    TRAINING_NOISE = 3
    TEST_NOISE = 4
    SYNTHETIC = 5
    PARTNER = 6


def rng(stream: Stream, *key: int) -> np.random.Generator:
    """A generator for one purpose and key, such as (seed, epoch) or (seed, epoch, index)."""
    return np.random.default_rng((stream, len(key), *key))


def derived_seed(stream: Stream, *key: int) -> int:
    """A seed for torch's generators, from a purpose and a key such as (seed, step, rank)."""
    return int(rng(stream, *key).integers(2**63))
