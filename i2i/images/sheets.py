"""Sheets: grids of images for viewing."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from i2i.images.types import Array

GAP = 4
"""White pixels between the cells."""

PAGE = 1024
"""Width of a page in pixels."""


def shown(image: Array) -> Array:
    """Convert an image of any depth and number of channels to uint8 RGB `(H, W, 3)`.

    See `as_rgb` for the choice of channels.
    """
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    return as_rgb(image)


def as_rgb(image: Array) -> Array:
    """Three channels of an image: the first three; with two channels, the second one twice."""
    channels = image.shape[2]
    return image[:, :, [0, min(1, channels - 1), min(2, channels - 1)]]


def sheet(rows: Sequence[Sequence[Array]]) -> Array:
    """Draw a grid of images of equal size, as uint8 RGB `(H, W, 3)`."""
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
    """Draw a sheet of input | output | target, with as many triples per row as fit on a page."""
    width = triples[0][0].shape[1] + GAP
    across = max(1, min(PAGE // (width * len(triples[0])), len(triples)))
    blank = [np.full_like(image, np.iinfo(image.dtype).max) for image in triples[0]]
    filled = [*triples, *[blank] * (-len(triples) % across)]
    return sheet(
        [list(chain(*filled[first : first + across])) for first in range(0, len(filled), across)]
    )


def spread(total: int, count: int) -> list[int]:
    """Up to `count` indices, evenly spread over a sequence of length `total`; deterministic."""
    return [int(i) for i in np.linspace(0, total - 1, min(count, total))]


def cells(image: Array, height: int, width: int) -> list[list[Array]]:
    """Cut a sheet into its images, by row and column."""
    return [
        [
            image[top : top + height, left : left + width]
            for left in range(0, image.shape[1], width + GAP)
        ]
        for top in range(0, image.shape[0], height + GAP)
    ]


def _extent(side: int, count: int) -> int:
    return count * (side + GAP) - GAP
