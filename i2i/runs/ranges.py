"""Find images that use only a small part of the values from black to white."""

from collections.abc import Iterator

import numpy as np

from i2i.datasets.dataset import Dataset
from i2i.runs.data import Splits

NARROW = 1 / 8
"""Largest part of the range that is reported: 13 of 16 bits, or class indices up to 31."""


def narrow_ranges(splits: Splits, dataset: Dataset) -> Iterator[str]:
    """One line for each split and side whose values are all in a small part of their range.

    Such images are often masks of 0 and 1, or data of 12 bits in files of 16.
    """
    top = int(np.iinfo(dataset.dtype).max)
    for name, split in splits:
        for side, (low, high) in zip(("input", "target"), split.ranges, strict=False):
            if high - low <= NARROW * top:
                found = (
                    f"{name}: all values of the {side}s are from {low:,} to {high:,} (of 0 to "
                    f"{top:,}), hardly more than one shade"
                )
                yield found if dataset.specs is None else f"{found}; {_remedy(side)}"


def _remedy(side: str) -> str:
    return (
        f"set data.{side}_float_range = [black, white] to the values that the files use, or for "
        f'class indices data.{side}_mode = "labels" and data.{side}_classes'
    )
