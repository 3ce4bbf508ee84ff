"""Samples of a run at steps spread evenly over the training."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from i2i.evaluation.samples import INPUT, TARGET, SampleFolder, left_out_if_damaged
from i2i.images import read
from i2i.images.sheets import cells
from i2i.images.types import Array, Size

MOMENTS = 6
"""The largest number of steps that samples are shown for."""

_STEP = re.compile(r"step-[0-9]+")

Item = TypeVar("Item")


def samples_over_time(folder: Path, crop_size: Size) -> tuple[list[str], list[list[Array]]]:
    """Return the samples of a run at up to `MOMENTS` steps.

    Args:
        folder: The run's samples.
        crop_size: The recipe's `augment.crop`, as `(height, width)`.

    Returns:
        The columns, such as `input`, `500 steps` and `target`; and for each input the images in
        them. Both are empty if there are no samples.
    """
    samples = SampleFolder(folder)
    columns = _spread([name for name in samples.columns("step-*") if _STEP.fullmatch(name)])
    if not columns:
        return _from_sheets(folder, crop_size)
    shown = samples.shown(*columns)
    return [_named(column) for column in shown], samples.rows(shown)


def _from_sheets(folder: Path, crop_size: Size) -> tuple[list[str], list[list[Array]]]:
    """Do the same for version 0.1, which stored one sheet of input | output | target per step."""
    sheets: dict[int, list[list[Array]]] = {}
    files = [file for file in sorted(folder.glob("step-*.png")) if _STEP.fullmatch(file.stem)]
    for file in _spread(files):
        with left_out_if_damaged():
            sheets[_step(file.stem)] = cells(read(file, "rgb"), *crop_size)
    if not sheets:
        return [], []
    return [INPUT, *map(_steps, sheets), TARGET], [
        [row[0][0], *(cell[1] for cell in row), row[0][2]]
        for row in zip(*sheets.values(), strict=False)
    ]


def _spread(moments: Sequence[Item]) -> list[Item]:
    if not moments:
        return []
    return [moments[i] for i in np.unique(np.linspace(0, len(moments) - 1, MOMENTS).astype(int))]


def _step(name: str) -> int:
    return int(name.removeprefix("step-"))


def _named(column: str) -> str:
    return _steps(_step(column)) if _STEP.fullmatch(column) else column


def _steps(number: int) -> str:
    return f"{number:,} steps"
