"""Random augmentation: equal for both images of a pair, determined by (seed, epoch, index)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from i2i.images.types import Size
from i2i.randomness import Stream, rng


def augment(
    pairs: Tensor,
    indices: Sequence[int],
    *,
    crop: Size,
    flip: bool,
    seed: int,
    epoch: int,
    side: int | None = None,
) -> Tensor:
    """Crop each pair at random, and mirror each with a probability of one half.

    Args:
        pairs: `(N, C, H, W)`, the input and target of a pair concatenated along the channels; or
            images of one side.
        indices: The indices of the pairs in the data set.
        crop: The size of the crop; the images' size gives the whole image.
        flip: Whether to mirror.
        seed: The seed of the run.
        epoch: The epoch; `seed`, `epoch` and the index of a pair determine its augmentation.
        side: 0 for inputs and 1 for targets that are unpaired, which are augmented independently.

    Returns:
        `(N, C, crop height, crop width)` of the same type.
    """
    (height, width), (tall, wide) = pairs.shape[-2:], crop
    cut = pairs.new_empty((*pairs.shape[:2], tall, wide))
    own = () if side is None else (side,)
    for i, index in enumerate(indices):
        down, right, turn = rng(Stream.AUGMENTATION, seed, epoch, index, *own).random(3)
        top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
        pair = pairs[i, :, top : top + tall, left : left + wide]
        cut[i] = _mirror(pair) if flip and turn < 0.5 else pair
    return cut


def _mirror(image: Tensor) -> Tensor:
    if image.dtype == torch.uint16:  # which torch before 2.14 cannot flip
        return image.view(torch.int16).flip(-1).view(torch.uint16)
    return image.flip(-1)
