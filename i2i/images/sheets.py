"""Sheets: images side by side in a grid, to be looked at."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from i2i.images.types import Array

GAP = 4
"""White pixels between the cells."""

PAGE = 1024
"""Pixels that a page is wide."""


def shown(image: Array) -> Array:
    """An image of any depth and number of channels as uint8 RGB `(H, W, 3)`.

    Of more than three channels the first three are shown; of two, the second twice.
    """
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    return as_rgb(image)


def as_rgb(image: Array) -> Array:
    """Three channels of an image of any: the first three; of two, the second twice."""
    channels = image.shape[2]
    return image[:, :, [0, min(1, channels - 1), min(2, channels - 1)]]


def sheet(rows: Sequence[Sequence[Array]]) -> Array:
    """A grid of images of one size, uint8 RGB."""
    height, width = rows[0][0].shape[:2]
    columns = len(rows[0])
    size = (_extent(height, len(rows)), _extent(width, columns), 3)
    canvas = np.full(size, 255, np.uint8)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            top, left = r * (height + GAP), c * (width + GAP)
            canvas[top : top + height, left : left + width] = shown(image)
    return canvas


def gallery(triples: Sequence[Sequence[Array]]) -> Array:
    """A sheet of input | output | target, as many triples in a row as a page is wide."""
    width = triples[0][0].shape[1] + GAP
    across = max(1, min(PAGE // (width * len(triples[0])), len(triples)))
    blank = [np.full_like(image, np.iinfo(image.dtype).max) for image in triples[0]]
    filled = [*triples, *[blank] * (-len(triples) % across)]
    return sheet(
        [list(chain(*filled[first : first + across])) for first in range(0, len(filled), across)]
    )


def spread(total: int, count: int) -> list[int]:
    """So many places spread evenly over a sequence, always the same ones."""
    return [int(i) for i in np.linspace(0, total - 1, min(count, total))]


def cells(image: Array, height: int, width: int) -> list[list[Array]]:
    """The images of a sheet, by row and column."""
    return [
        [
            image[top : top + height, left : left + width]
            for left in range(0, image.shape[1], width + GAP)
        ]
        for top in range(0, image.shape[0], height + GAP)
    ]


def _extent(side: int, count: int) -> int:
    return count * (side + GAP) - GAP
