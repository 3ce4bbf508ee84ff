"""Random changes of pairs, batched: the same for both images, decided by (seed, epoch, index)."""

from collections.abc import Sequence

import numpy as np
import torch
from kornia.geometry.transform import crop_by_indices, hflip
from torch import Tensor

from i2i.datasets.base import Size
from i2i.randomness import Stream, generator


def augment(
    pairs: Tensor, indices: Sequence[int], *, crop: Size, flip: bool, seed: int, epoch: int
) -> Tensor:
    """Crop each pair at random, and mirror half of them.

    Args:
        pairs: `(N, C, H, W)`, a pair's input and target stacked along the channels.
        indices: The pairs' places in the data set.
        crop: The size to cut out; where it is the images' own, nothing is cut.
        flip: Whether to mirror.
        seed: The run's.
        epoch: Which pass over the data; with `seed` and the index it decides everything.

    Returns:
        `(N, C, crop height, crop width)` of the same type.
    """
    height, width = pairs.shape[-2:]
    draws = np.stack(
        [generator(Stream.AUGMENTATION, seed, epoch, index).random(3) for index in indices]
    )
    if (height, width) != crop:
        room = np.array([height - crop[0] + 1, width - crop[1] + 1])
        corners = torch.from_numpy((draws[:, :2] * room).astype(np.int64))
        pairs = crop_by_indices(pairs, _boxes(corners, crop), size=crop)
    if flip:
        mirrored = (draws[:, 2] < 0.5).tolist()
        pairs = torch.stack(
            [hflip(pair) if turn else pair for pair, turn in zip(pairs, mirrored, strict=True)]
        )
    return pairs


def _boxes(corners: Tensor, crop: Size) -> Tensor:
    """Corner points as kornia has them: (x, y), clockwise from the top left, inclusive."""
    top, left = corners[:, 0], corners[:, 1]
    bottom, right = top + crop[0] - 1, left + crop[1] - 1
    points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return torch.stack([torch.stack(point, dim=1) for point in points], dim=1)
