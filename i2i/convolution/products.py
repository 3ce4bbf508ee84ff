"""The products of a convolution, each by the way that measured faster; see docs/performance.md.

A convolution is a matrix product of its weights with the patches of its input, laid out as rows
(im2col: Chellapilla et al. 2006, section 2.1). oneDNN, which torch calls on a CPU, does without
that layout and wins where maps are large; but it reorders all the weights at every call, which
takes most of the time where maps are small, and is slow at the weights' gradient everywhere. With
stride 1, Winograd's way saves most of the multiplications, where there are enough of them.

None of this is recorded by autograd. Where it records, for second derivatives, all is torch's.
"""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from i2i.convolution import winograd
from i2i.convolution.patches import Window, matrix, patches, rows, sum_of_patches

PATCH_VALUES = 2**22
"""Values of the patches laid out at once, unless one image has more: 16 MiB, which caches hold."""

FEW_CHANNELS = 8
"""Fewer channels than these leave oneDNN's vectors mostly empty, and matrices too thin."""

WINOGRAD_KERNELS = (3, 4)
FOR_MAPS, FOR_WEIGHTS = (128, 64), (64, 32)
"""Channels and tiles from which on Winograd's way pays, for maps and for the weights' gradient.
With fewer, its transforms take what it saves."""


def convolve(image: Tensor, weight: Tensor, window: Window) -> Tensor:
    """A convolution.

    Args:
        image: `(N, C, H, W)`.
        weight: `(D, C, kernel, kernel)`.
        window: The kernel's.

    Returns:
        `(N, D, h, w)`.
    """
    n, _, height, width = image.shape
    h, w = window.positions(height), window.positions(width)
    if _winograd_pays(FOR_MAPS, n, (h, w), weight.shape, window):
        return winograd.convolve(image, weight, window.padding)
    if torch.is_grad_enabled() or n * h * w > len(weight):
        return F.conv2d(image, weight, None, window.stride, window.padding)
    product = matrix(weight) @ _im2col(image, window).t()
    maps = product.view(-1, n, h, w).transpose(0, 1)
    return maps.clone(memory_format=torch.channels_last)


def convolve_transposed(
    values: Tensor, weight: Tensor, shape: torch.Size, window: Window
) -> Tensor:
    """A transposed convolution: the gradient of `convolve` for its image.

    Args:
        values: `(N, D, h, w)`.
        weight: `(D, C, kernel, kernel)`.
        shape: Of the result: `(N, C, H, W)`.
        window: The kernel's.
    """
    n, channels, *sides = shape
    _, _, h, w = values.shape
    if _winograd_pays(FOR_MAPS, n, (h, w), weight.shape, window):
        return winograd.convolve_transposed(values, weight, window.padding)
    overlaps = window.kernel // window.stride
    many = n * h * w > len(weight) and channels >= FEW_CHANNELS
    if torch.is_grad_enabled() or overlaps > 2 or many:
        beyond = [side - window.reach(p) for side, p in zip(sides, (h, w), strict=True)]
        return F.conv_transpose2d(
            values, weight, None, window.stride, window.padding, output_padding=beyond
        )
    if n * h * w > len(weight):
        by_row = (rows(values) @ matrix(weight)).view(-1, window.kernel, window.kernel * channels)
        return sum_of_patches(by_row.transpose(0, 1), (h, w), shape, window)
    weight_rows = matrix(weight).view(len(weight), window.kernel, -1).transpose(0, 1)
    by_row = rows(values).expand(window.kernel, -1, -1) @ weight_rows
    return sum_of_patches(by_row, (h, w), shape, window)


def weight_gradient(image: Tensor, values: Tensor, window: Window) -> Tensor:
    """The gradient of `convolve` for its weights.

    Args:
        image: `(N, C, H, W)`, what was convolved.
        values: `(N, D, h, w)`, the gradient of the result.
        window: The kernel's.

    Returns:
        `(D, C, kernel, kernel)`.
    """
    channels, depth, k = image.shape[1], values.shape[1], window.kernel
    if torch.is_grad_enabled() or min(channels, depth) < FEW_CHANNELS:
        shape = (depth, channels, k, k)
        few: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            image, shape, values, window.stride, window.padding
        )
        return few
    if _winograd_pays(FOR_WEIGHTS, len(image), values.shape[2:], (depth, channels), window):
        return winograd.weight_gradient(image, values, k, window.padding)
    patch_values = channels * k * k * values[0, 0].numel()
    at_once = max(1, PATCH_VALUES // patch_values)
    total: Tensor | None = None
    for some, theirs in zip(torch.split(image, at_once), torch.split(values, at_once), strict=True):
        left, right = rows(theirs).t(), _im2col(some, window)
        total = left @ right if total is None else total.addmm_(left, right)
    assert total is not None
    return total.view(depth, k, k, channels).permute(0, 3, 1, 2)


def _winograd_pays(
    least: tuple[int, int], n: int, positions: Sequence[int], weights: Sequence[int], window: Window
) -> bool:
    """Whether Winograd's way is one here, and the faster."""
    channels, tiles = least
    return (
        not torch.is_grad_enabled()
        and window.stride == 1
        and window.kernel in WINOGRAD_KERNELS
        and window.padding < window.kernel
        and min(weights[:2]) >= channels
        and n * prod(winograd.tiles(side, window.kernel) for side in positions) >= tiles
    )


def _im2col(image: Tensor, window: Window) -> Tensor:
    """The patches that the window sees, `(N · h · w, kernel · kernel · C)`."""
    return patches(F.pad(image, [window.padding] * 4), window.kernel, window.stride)
