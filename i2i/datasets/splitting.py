"""Split by hashed names, so that adding or removing files moves no others."""

import hashlib
import os

from i2i.datasets.dataset import Split


def split_of(name: str, seed: int, *, val: float, test: float) -> Split:
    """The split of a name: compares its seeded hash, uniform in [0, 1), with the fractions.

    Args:
        name: The name of a pair, or of a group of pairs that must stay together.
        seed: The seed of the hash; another seed gives another split.
        val: Fraction of the names for validation.
        test: Fraction of the names for testing.
    """
    hashed = hashlib.sha256(os.fsencode(f"{seed}:{name}")).digest()
    hashed_fraction = int.from_bytes(hashed[:8], "big") / 2**64
    if hashed_fraction < test:
        return "test"
    return "val" if hashed_fraction < test + val else "train"
