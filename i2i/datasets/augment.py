"""Random changes of pairs, batched: the same for both images, decided by (seed, epoch, index)."""

from collections.abc import Sequence

from torch import Tensor

from i2i.images.types import Size
from i2i.randomness import Stream, rng


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
    (height, width), (tall, wide) = pairs.shape[-2:], crop
    cut = pairs.new_empty((*pairs.shape[:2], tall, wide))
    for i, index in enumerate(indices):
        down, right, side = rng(Stream.AUGMENTATION, seed, epoch, index).random(3)
        top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
        pair = pairs[i, :, top : top + tall, left : left + wide]
        cut[i] = pair.flip(-1) if flip and side < 0.5 else pair
    return cut
