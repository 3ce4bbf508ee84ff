"""Grouping of images of different sizes into batches."""

from collections.abc import Sequence

from i2i.images.sizes import next_multiple
from i2i.images.types import Size
from i2i.model.tiling import WHOLE_UP_TO, plan_tiles


def batches(
    sizes: Sequence[Size], *, divisor: int, most: int, tile: int | None = None
) -> list[list[int]]:
    """Group images into batches of one padded size; an image that needs tiles is alone.

    Args:
        sizes: The sizes of the images.
        divisor: The size divisor: the network needs height and width to be multiples of it.
        most: Largest number of images in a batch. A batch of several images has at most
            `WHOLE_UP_TO` pixels.
        tile: As for `plan_tiles`.

    Returns:
        Indices into `sizes`, batch by batch.
    """
    groups: dict[tuple[Size, bool], list[int]] = {}
    for i, size in enumerate(sizes):
        tiled = len(plan_tiles(size, tile=tile, divisor=divisor)) > 1
        groups.setdefault((next_multiple(size, divisor), tiled), []).append(i)
    found = []
    for ((height, width), tiled), indices in groups.items():
        count = 1 if tiled else max(1, min(most, WHOLE_UP_TO // (height * width)))
        found += [indices[i : i + count] for i in range(0, len(indices), count)]
    return found
