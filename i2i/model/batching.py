"""Images of different sizes in batches."""

from collections.abc import Sequence

from i2i.images.sizes import next_multiple
from i2i.images.types import Size
from i2i.model.tiling import WHOLE_UP_TO, plan_tiles


def batches(
    sizes: Sequence[Size], *, divisor: int, most: int, tile: int | None = None
) -> list[list[int]]:
    """Which images share a batch: those of one padded size; what needs tiles is alone.

    Args:
        sizes: Of the images.
        divisor: What the network needs height and width to be multiples of.
        most: Images in a batch; fewer where they have more pixels together than one large image.
        tile: As for `plan_tiles`.

    Returns:
        The images' places in `sizes`, batch by batch.
    """
    alike: dict[tuple[Size, bool], list[int]] = {}
    for i, size in enumerate(sizes):
        tiled = len(plan_tiles(size, tile=tile, divisor=divisor)) > 1
        alike.setdefault((next_multiple(size, divisor), tiled), []).append(i)
    found = []
    for ((height, width), tiled), places in alike.items():
        count = 1 if tiled else max(1, min(most, WHOLE_UP_TO // (height * width)))
        found += [places[i : i + count] for i in range(0, len(places), count)]
    return found
