"""The check that a generator translates images that are larger than a tile."""

import torch
from torch import Tensor, nn

from i2i.images.sizes import next_multiple
from i2i.images.tensors import to_uint
from i2i.images.types import Size
from i2i.model.inference import TestSettings, TestTime, translate
from i2i.model.tiling import Tiles, plan_tiles, translate_tiles
from i2i.testing.images import pictures
from i2i.testing.networks import built, size_divisor
from i2i.testing.subject import Subject

RUNNING = TestSettings(statistics="running")
"""With these statistics, only a network's receptive field decides what an output pixel sees."""

NEARLY = 2
"""Largest difference from the translation without tiles, in levels of 0 to 255."""


def tiles(subject: Subject) -> None:
    """A large image can be translated in tiles, which change nothing where they can't."""
    network, (side, _) = built(subject, in_channels=3, out_channels=3)
    network.eval()
    divisor = size_divisor(network)
    second = next_multiple((side // 2, side), divisor)[0]  # where the second of two tiles begins
    large = (side + second, side)
    plan = plan_tiles(large, tile=side, overlap=side - second, divisor=divisor)
    with subject.doing(f"can't translate an image of {large} in tiles of {plan.tile}"):
        _in_tiles(network, pictures(1, 3, large), plan, TestSettings())
    inner = _inner(plan, reach(network, (side, side), divisor))
    if not inner.any():
        return
    image = pictures(1, 3, large)
    whole = to_uint(translate(network, image, RUNNING))
    different = _in_tiles(network, image, plan, RUNNING).int() - whole.int()
    largest = int(different.abs().amax((0, 1, 3))[inner].max())
    subject.require(
        largest <= NEARLY,
        f"translates an image in tiles differently, by {largest} of 255 levels, where all that it "
        "sees lies in the tile: its output must not depend on a position in the tile",
    )


def reach(network: nn.Module, size: Size, step: int) -> int:
    """Measure how far from an output pixel the input pixels lie that it depends on.

    Args:
        network: The network, in eval mode.
        size: Height and width of the image to measure with.
        step: Number of rows in the middle that are measured together.

    Returns:
        The largest distance in rows; `size[0]` if the image's edge can be seen from its middle.
    """
    image = pictures(1, 3, size).requires_grad_()
    middle = size[0] // 2 // step * step
    output = TestTime(network, RUNNING).eval()(image)
    (gradient,) = torch.autograd.grad(output[:, :, middle : middle + step].sum(), image)
    seen = gradient.abs().amax((0, 1, 3)).nonzero().flatten().tolist()
    if not seen:
        return 0
    if seen[0] == 0 or seen[-1] == size[0] - 1:
        return size[0]
    return int(max(middle - seen[0], seen[-1] - (middle + step - 1), 0))


def _inner(plan: Tiles, distance: int) -> Tensor:
    """The rows of an image at a distance from every edge of a tile that isn't the image's edge."""
    height, tile = plan.image[0], plan.tile[0]
    inner = torch.ones(height, dtype=torch.bool)
    for top in plan.places(0):
        if top > 0:
            inner[top : top + distance] = False
        if top + tile < height:
            inner[max(0, top + tile - distance) : top + tile] = False
    return inner


def _in_tiles(network: nn.Module, images: Tensor, plan: Tiles, settings: TestSettings) -> Tensor:
    """Translate one image `(1, 3, H, W)` in tiles, to uint8."""
    output = translate_tiles(
        network,
        to_uint(images)[0].permute(1, 2, 0).numpy(),
        plan,
        settings,
        channels=3,
        dtype=torch.uint8,
        device=torch.device("cpu"),
    )
    return torch.from_numpy(output).permute(2, 0, 1)[None]
