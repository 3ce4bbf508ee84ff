"""Convolutions of stride 1 with a quarter of the multiplications.

For a few neighbouring positions and a pair of channels, a convolution is a product of polynomials
in two variables, read backwards. Polynomials are multiplied by multiplying their values at enough
points: 36 for the 9 positions of a 4 x 4 kernel, which take 144 multiplications otherwise
(Winograd 1980, "Arithmetic Complexity of Computations"). Lavin and Gray (CVPR 2016, section 4.1)
found that between the transforms to and from those values there is a matrix product for each point,
over the channels of all tiles at once. What goes backwards are the same transforms, transposed.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from i2i.convolution.patches import patches

SIDE = 6
"""Of a tile, in pixels. Larger ones save more multiplications and round more."""

POINTS = (0.0, 0.625, -0.625, 1.5, -1.5)
"""Where polynomials are evaluated, besides at infinity. What is lost to rounding hangs on them
(Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution"): with
these, no more than torch's own convolutions lose."""


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


def spread(values: Tensor, weight: Tensor, padding: int) -> Tensor:
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
    of_image = _transformed(matrices.data, _tiles(image, SIDE, step, grid, padding))
    of_values = _transformed(matrices.inverse.T, _tiles(values, step, step, grid, 0))
    products = of_values.permute(1, 2, 0) @ of_image.transpose(0, 1)
    taps = _transformed(matrices.filter.T, products.transpose(0, 1))
    return taps.view(len(taps), kernel, kernel, -1).permute(0, 3, 1, 2)


def _filtered(image: Tensor, filters: Tensor, kernel: int, padding: int) -> Tensor:
    """An image under filters, `(36, C, D)` at the points."""
    matrices, step = _transforms(kernel), _step(kernel)
    n, _, *sides = image.shape
    h, w = (side + 2 * padding - kernel + 1 for side in sides)
    grid = tall, wide = _grid((h, w), kernel)
    of_image = _transformed(matrices.data, _tiles(image, SIDE, step, grid, padding))
    products = of_image.transpose(0, 1) @ filters
    results = _transformed(matrices.inverse, products.transpose(0, 1))
    rows = results.view(n, tall, wide, step, step, -1).transpose(2, 3)
    maps = rows.reshape(n, tall * step, wide * step, -1)[:, :h, :w].permute(0, 3, 1, 2)
    return maps.clone(memory_format=torch.channels_last)


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
