"""The bootstrap: how much the value of a metric depends on the choice of test images.

Efron and Tibshirani 1993, chapters 6 and 13. A bootstrap sample has as many images as the split,
drawn with replacement. An output and its target are always drawn together.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

SEED = 1993

PERCENTILES = (2.5, 97.5)


def bootstrap_indices(images: int, count: int) -> Tensor:
    """Draw bootstrap samples of a split, always the same samples for a split of this size.

    Because two runs on one split are measured on the same samples, their differences are paired.
    A smaller `count` returns the first samples of a larger one. The samples are drawn with
    `RandomState`, the only numpy generator that guarantees a stable sequence of numbers.

    Args:
        images: Number of images in the split; at least 1.
        count: Number of bootstrap samples.

    Returns:
        `(count, images)` int64 indices of images, in the order of the split.
    """
    drawn = np.random.RandomState([SEED, images]).randint(images, size=(count, images))
    return torch.from_numpy(drawn.astype(np.int64))


def times_drawn(indices: Tensor, images: int) -> Tensor:
    """Count how often each image is in each sample: `(B, n)` indices to `(B, images)` float64."""
    times = torch.zeros(len(indices), images, dtype=torch.float64)
    return times.scatter_add_(1, indices, torch.ones_like(indices, dtype=torch.float64))


def bootstrap_details(values: Tensor) -> dict[str, Any]:
    """Summarise the values `(B,)` of a metric on bootstrap samples, for its details.

    Returns:
        `bootstrap`, the values to seven digits in the order of the samples; and `interval`, their
        2.5 and 97.5 percentiles. A sample without a value is NaN, and the interval ignores it. An
        example is kid on a sample that has only one distinct image.
    """
    shares = torch.tensor(PERCENTILES, dtype=torch.float64) / 100
    interval = torch.nanquantile(values.double(), shares)
    return {"bootstrap": significant(values, 7), "interval": significant(interval, 7)}


def significant(values: Tensor, digits: int) -> list[float]:
    """Round numbers `(n,)` to `digits` significant digits."""
    return [float(f"{value:.{digits}g}") for value in values.tolist()]
