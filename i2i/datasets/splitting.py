"""A split decided by names: stable when other files come or go."""

import hashlib
import os

from i2i.datasets.dataset import Split


def split_of(name: str, seed: int, *, val: float, test: float) -> Split:
    """The split of a name: a seeded hash of it, uniform in [0, 1), against the fractions.

    Args:
        name: A pair's, or a group's whose pairs must stay together.
        seed: Another seed gives another split.
        val: Share of the names for validation.
        test: Share of the names for the test.
    """
    hashed = hashlib.sha256(os.fsencode(f"{seed}:{name}")).digest()
    place = int.from_bytes(hashed[:8], "big") / 2**64
    if place < test:
        return "test"
    return "val" if place < test + val else "train"
