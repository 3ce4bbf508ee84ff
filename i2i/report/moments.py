"""Samples of a run at steps spread evenly over the training."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from i2i.evaluation.samples import INPUT, TARGET, SampleFolder
from i2i.images import read
from i2i.images.sheets import cells
from i2i.images.types import Array

MOMENTS = 6
"""The largest number of steps that samples are shown for."""

Item = TypeVar("Item")


def samples_over_time(
    folder: Path, crop_size: int | Sequence[int]
) -> tuple[list[int], list[list[Array]]]:
    """Return the samples of a run at up to `MOMENTS` steps.

    Args:
        folder: The run's samples.
        crop_size: The recipe's `augment.crop_size`.

    Returns:
        The steps; and for each pair its input, its output at each step, and its target. Both are
        empty if there are no samples.
    """
    samples = SampleFolder(folder)
    columns = _spread(samples.columns("step-*"))
    if not columns:
        return _from_sheets(folder, crop_size)
    return [_step(column) for column in columns], samples.rows((INPUT, *columns, TARGET))


def _from_sheets(
    folder: Path, crop_size: int | Sequence[int]
) -> tuple[list[int], list[list[Array]]]:
    """Do the same for version 0.1, which stored one sheet of input | output | target per step."""
    files = _spread(sorted(folder.glob("step-*.png")))
    height, width = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
    sheets = [cells(read(file, "rgb"), height, width) for file in files]
    rows = [
        [first[0], *(sheet[i][1] for sheet in sheets), first[2]]
        for i, first in enumerate(sheets[0] if sheets else ())
    ]
    return [_step(file.stem) for file in files], rows


def _spread(moments: Sequence[Item]) -> list[Item]:
    if not moments:
        return []
    return [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, MOMENTS).astype(int))]


def _step(name: str) -> int:
    return int(name.removeprefix("step-"))
