"""Convolutions of stride 1 with a quarter of the multiplications.

A convolution with `kernel` taps, at `step` positions, is the transpose of a product of polynomials
with `kernel` and `step` coefficients. That is found from values at 6 points (Toom-Cook; Winograd
1980, "Arithmetic Complexity of Computations"), so the convolution is `Aᵀ[(G g) * (Bᵀ d)]`, value
by value: Lavin and Gray, CVPR 2016, section 4.1. Here `inverse` is their Aᵀ, `filter` G and `data`
Bᵀ, in two dimensions each the Kronecker product with itself. That makes 36 multiplications for 144,
of 4 x 4 taps at 3 x 3 positions or of 3 x 3 at 4 x 4; over all channels and tiles they are 36
matrix products.

The gradient of the input is a convolution with the kernel turned by 180 degrees; that of the
weights is `Gᵀ[(A v) * (Bᵀ d)]` for the gradient v of the output.
"""

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from i2i.convolution.patches import patches

SIDE = 6
"""Of a tile, in pixels. Larger ones save more multiplications and round more."""

TILE_VALUES = 2**22
"""Values of the tiles laid out at once, unless one image has more: 16 MiB."""

POINTS = (0.0, 0.625, -0.625, 1.5, -1.5)
"""Where polynomials are evaluated, besides at infinity. What is lost to rounding hangs on them
(Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution"): with
these, about what torch's own convolutions lose: as much in the output, where there are many
channels, and up to three times as much in the gradients. The usual 0, ±1, 1/2 and -2 lose half as
much again."""


class _Transforms(NamedTuple):
    data: Tensor
    """`(36, 36)`: of a tile's pixels to values at the points."""
    filter: Tensor
    """`(36, kernel²)`: of a kernel."""
    turned: Tensor
    """`(36, kernel²)`: of a kernel turned by 180 degrees."""
    inverse: Tensor
    """`(step², 36)`: of products at the points to positions."""


@cache
def _transforms(kernel: int) -> _Transforms:
    taps, positions = _powers(kernel), _powers(_step(kernel))
    one_dimensional = (torch.linalg.inv(_powers(SIDE)).T, taps, taps.flip(1), positions.T)
    return _Transforms(*(torch.kron(side, side).float() for side in one_dimensional))


def _powers(count: int) -> Tensor:
    """The powers 0 to `count` - 1 of each point; at infinity only the highest counts."""
    with torch.device("cpu"):
        finite = torch.tensor(POINTS, dtype=torch.float64)[:, None] ** torch.arange(count)
        return torch.cat([finite, torch.eye(count, dtype=torch.float64)[-1:]])


def _step(kernel: int) -> int:
    """From one tile to the next: how many positions of the kernel a tile has along a side."""
    return SIDE - kernel + 1


def tiles(positions: int, kernel: int) -> int:
    """How many tiles so many positions along a side take."""
    return -(-positions // _step(kernel))


def convolve(image: Tensor, weight: Tensor, padding: int) -> Tensor:
    """A convolution of stride 1.

    Args:
        image: `(N, C, H, W)`.
        weight: `(D, C, kernel, kernel)`.
        padding: Zeros around the image.

    Returns:
        `(N, D, H + 2 padding - kernel + 1, ...)`.
    """
    kernel = weight.shape[-1]
    filters = _transformed(_transforms(kernel).filter, _taps(weight))
    return _filtered(image, filters.permute(1, 2, 0), kernel, padding)


def convolve_transposed(values: Tensor, weight: Tensor, padding: int) -> Tensor:
    """A transposed convolution of stride 1: the gradient of `convolve` for its image.

    Args:
        values: `(N, D, h, w)`.
        weight: `(D, C, kernel, kernel)`.
        padding: Zeros around the image, less than the kernel.

    Returns:
        `(N, C, h - 2 padding + kernel - 1, ...)`.
    """
    kernel = weight.shape[-1]
    filters = _transformed(_transforms(kernel).turned, _taps(weight))
    return _filtered(values, filters.transpose(0, 1), kernel, kernel - 1 - padding)


def weight_gradient(image: Tensor, values: Tensor, kernel: int, padding: int) -> Tensor:
    """The gradient of `convolve` for its weights.

    Args:
        image: `(N, C, H, W)`, what was convolved.
        values: `(N, D, h, w)`, the gradient of the result.
        kernel: The kernel's side.
        padding: Zeros around the image.

    Returns:
        `(D, C, kernel, kernel)`.
    """
    matrices, step = _transforms(kernel), _step(kernel)
    grid = _grid(values.shape, kernel)
    at_once = _at_once(grid, image.shape[1], values.shape[1])
    total: Tensor | None = None
    for some, theirs in zip(torch.split(image, at_once), torch.split(values, at_once), strict=True):
        of_image = _transformed(matrices.data, _tiles(some, SIDE, step, grid, padding))
        of_values = _transformed(matrices.inverse.T, _tiles(theirs, step, step, grid, 0))
        left, right = of_values.permute(1, 2, 0), of_image.transpose(0, 1)
        total = left @ right if total is None else total.baddbmm_(left, right)
    assert total is not None
    taps = _transformed(matrices.filter.T, total.transpose(0, 1))
    return taps.view(len(taps), kernel, kernel, -1).permute(0, 3, 1, 2)


def _filtered(image: Tensor, filters: Tensor, kernel: int, padding: int) -> Tensor:
    """An image under filters, `(36, C, D)` at the points."""
    matrices, step = _transforms(kernel), _step(kernel)
    n, channels, *sides = image.shape
    h, w = (side + 2 * padding - kernel + 1 for side in sides)
    grid = tall, wide = _grid((h, w), kernel)
    depth = filters.shape[-1]
    maps = image.new_empty(n, tall, step, wide, step, depth)
    at_once = _at_once(grid, channels, depth)
    for some, theirs in zip(torch.split(image, at_once), torch.split(maps, at_once), strict=True):
        of_image = _transformed(matrices.data, _tiles(some, SIDE, step, grid, padding))
        products = of_image.transpose(0, 1) @ filters
        results = _transformed(matrices.inverse, products.transpose(0, 1))
        theirs.transpose(2, 3).copy_(results.view(-1, tall, wide, step, step, depth))
    pixels = maps.view(n, tall * step, wide * step, depth)[:, :h, :w].permute(0, 3, 1, 2)
    return pixels.clone(memory_format=torch.channels_last)


def _at_once(grid: tuple[int, int], *channels: int) -> int:
    """How many images' tiles are laid out at once."""
    return max(1, TILE_VALUES // (SIDE * SIDE * prod(grid) * max(channels)))


def _grid(shape: Sequence[int], kernel: int) -> tuple[int, int]:
    """How many tiles down and across cover maps of this shape."""
    tall, wide = (tiles(side, kernel) for side in shape[-2:])
    return tall, wide


def _tiles(maps: Tensor, side: int, step: int, grid: tuple[int, int], before: int) -> Tensor:
    """Tiles of maps `(N, C, H, W)`, `(N · tall · wide, side², C)`, with so many zeros before."""
    below, right = (
        (count - 1) * step + side - before - pixels
        for count, pixels in zip(grid, maps.shape[2:], strict=True)
    )
    padded = F.pad(maps, (before, right, before, below))
    return patches(padded, side, step).view(-1, side * side, maps.shape[1])


def _transformed(matrix: Tensor, blocks: Tensor) -> Tensor:
    """Blocks `(B, from, channels)` as `(B, to, channels)`."""
    return matrix.expand(len(blocks), -1, -1) @ blocks


def _taps(weight: Tensor) -> Tensor:
    """`(D, C, kernel, kernel)` as `(D, kernel², C)`, without a copy."""
    return weight.permute(0, 2, 3, 1).flatten(1, 2)
