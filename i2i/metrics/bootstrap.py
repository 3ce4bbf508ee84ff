"""The bootstrap: how far a value depends on which test images there happened to be.

Efron and Tibshirani 1993, chapters 6 and 13: as many images as there are, drawn with replacement,
again and again. An output and its target are always drawn together.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

SEED = 1993

PERCENTILES = (2.5, 97.5)


def bootstrap_indices(images: int, count: int) -> Tensor:
    """Bootstrap samples of a split, the same ones for every split of this size.

    So values of two runs on one split are of the same samples, and their differences are paired.
    Fewer samples are the first of more. They come from the one generator of numpy's whose numbers
    are promised never to change.

    Args:
        images: How many there are; at least 1.
        count: How many bootstrap samples.

    Returns:
        `(count, images)` int64, places of images in the split's order.
    """
    drawn = np.random.RandomState([SEED, images]).randint(images, size=(count, images))
    return torch.from_numpy(drawn.astype(np.int64))


def times_drawn(indices: Tensor, images: int) -> Tensor:
    """How often each image is in each sample: `(B, images)` float64 of indices `(B, n)`."""
    times = torch.zeros(len(indices), images, dtype=torch.float64)
    return times.scatter_add_(1, indices, torch.ones_like(indices, dtype=torch.float64))


def bootstrap_details(values: Tensor) -> dict[str, Any]:
    """What a result tells of a metric's values `(B,)` on bootstrap samples.

    Returns:
        `bootstrap`, the values to seven digits in the samples' order; and `interval`, their 2.5 and
        97.5 percentiles. A sample without a value, as where kid meets but one image, is NaN and
        left out of the interval.
    """
    shares = torch.tensor(PERCENTILES, dtype=torch.float64) / 100
    interval = torch.nanquantile(values.double(), shares)
    return {"bootstrap": significant(values, 7), "interval": significant(interval, 7)}


def significant(values: Tensor, digits: int) -> list[float]:
    """Numbers `(n,)` rounded to so many significant digits."""
    return [float(f"{value:.{digits}g}") for value in values.tolist()]
