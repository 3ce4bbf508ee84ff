"""The products of a convolution, each by the way that measured faster; see docs/performance.md.

A convolution is a matrix product of its weights with the patches of its input, laid out as rows
(im2col: Chellapilla et al. 2006, section 2.1). oneDNN, which torch calls on a CPU, does without
that layout and wins where maps are large; but it reorders all the weights at every call, which
takes most of the time where maps are small, and is slow at the weights' gradient everywhere. With
stride 1, Winograd's way saves most of the multiplications, where there are enough of them.
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
MANY_CHANNELS = 64
MANY_TILES = 48
"""With fewer channels or fewer tiles than these, Winograd's transforms take what they save."""


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
    if _saves(n, (h, w), weight.shape, window):
        return winograd.convolve(image, weight, window.padding)
    if n * h * w > len(weight):
        return F.conv2d(image, weight, None, window.stride, window.padding)
    product = matrix(weight) @ _seen(image, window).t()
    maps = product.view(-1, n, h, w).transpose(0, 1)
    return maps.clone(memory_format=torch.channels_last)


def spread(values: Tensor, weight: Tensor, shape: torch.Size, window: Window) -> Tensor:
    """A transposed convolution: the gradient of `convolve` for its image.

    Args:
        values: `(N, D, h, w)`.
        weight: `(D, C, kernel, kernel)`.
        shape: Of the result: `(N, C, H, W)`.
        window: The kernel's.
    """
    n, channels, *sides = shape
    _, _, h, w = values.shape
    if _saves(n, (h, w), weight.shape, window):
        return winograd.spread(values, weight, window.padding)
    overlaps = window.kernel // window.stride
    if overlaps > 2 or (n * h * w > len(weight) and channels >= FEW_CHANNELS):
        beyond = [side - window.reach(p) for side, p in zip(sides, (h, w), strict=True)]
        return F.conv_transpose2d(
            values, weight, None, window.stride, window.padding, output_padding=beyond
        )
    by_row = matrix(weight).view(len(weight), window.kernel, -1).transpose(0, 1)
    patch_rows = rows(values).expand(window.kernel, -1, -1) @ by_row
    return sum_of_patches(patch_rows, (h, w), shape, window)


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
    if min(channels, depth) < FEW_CHANNELS:
        shape = (depth, channels, k, k)
        few: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            image, shape, values, window.stride, window.padding
        )
        return few
    if _saves(len(image), values.shape[2:], (depth, channels), window):
        return winograd.weight_gradient(image, values, k, window.padding)
    patch_values = channels * k * k * values[0, 0].numel()
    at_once = max(1, PATCH_VALUES // patch_values)
    total: Tensor | None = None
    for some, theirs in zip(torch.split(image, at_once), torch.split(values, at_once), strict=True):
        left, right = rows(theirs).t(), _seen(some, window)
        total = left @ right if total is None else total.addmm_(left, right)
    assert total is not None
    return total.view(depth, k, k, channels).permute(0, 3, 1, 2)


def _saves(n: int, positions: Sequence[int], weights: Sequence[int], window: Window) -> bool:
    """Whether Winograd's way is one here, and what it saves is more than its transforms cost."""
    return (
        window.stride == 1
        and window.kernel in WINOGRAD_KERNELS
        and window.padding < window.kernel
        and min(weights[:2]) >= MANY_CHANNELS
        and n * prod(winograd.tiles(side, window.kernel) for side in positions) >= MANY_TILES
    )


def _seen(image: Tensor, window: Window) -> Tensor:
    """What the window sees, `(N · h · w, kernel · kernel · C)`."""
    return patches(F.pad(image, [window.padding] * 4), window.kernel, window.stride)
