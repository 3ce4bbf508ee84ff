"""Patches of maps that are channels-last in memory, laid out as rows of a matrix."""

from typing import NamedTuple

import torch
from torch import Tensor


class Window(NamedTuple):
    """What a kernel sees at each position.

    Args:
        kernel: Its side in pixels.
        stride: Pixels from one position to the next.
        padding: Zeros around the map.
    """

    kernel: int
    stride: int
    padding: int

    def positions(self, side: int) -> int:
        """How many positions there are along a side of so many pixels."""
        return (side + 2 * self.padding - self.kernel) // self.stride + 1

    def reach(self, positions: int) -> int:
        """How many pixels a side with so many positions has at least."""
        return (positions - 1) * self.stride + self.kernel - 2 * self.padding


def rows(maps: Tensor) -> Tensor:
    """`(N, C, H, W)` as `(N · H · W, C)`, without a copy."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def matrix(weight: Tensor) -> Tensor:
    """`(D, C, kernel, kernel)` as `(D, kernel · kernel · C)`, without a copy."""
    return weight.permute(0, 2, 3, 1).flatten(1)


def patches(maps: Tensor, kernel: int, stride: int) -> Tensor:
    """What a kernel sees at each position, without padding: `(N · h · w, kernel · kernel · C)`."""
    windows = maps.unfold(2, kernel, stride).unfold(3, kernel, stride)
    return windows.permute(0, 2, 3, 4, 5, 1).reshape(-1, kernel * kernel * maps.shape[1])


def sum_of_patches(
    patch_rows: Tensor, positions: tuple[int, int], shape: torch.Size, window: Window
) -> Tensor:
    """Patches added up where they overlap (col2im); by rows, `(kernel, N · h · w, kernel · C)`.

    A patch is a few blocks of stride x stride pixels to each side; what is added at once is the
    same block of all patches.
    """
    n, channels, height, width = shape
    (h, w), s, p = positions, window.stride, window.padding
    blocks = window.kernel // s
    parts = patch_rows.view(blocks, s, n, h, w, blocks, s * channels).permute(0, 5, 2, 3, 1, 4, 6)
    tall, wide = (max(q + blocks - 1, -(-(side + p) // s)) for q, side in ((h, height), (w, width)))
    total = patch_rows.new_zeros(n, tall, s, wide, s * channels)
    for i in range(blocks):
        for j in range(blocks):
            total[:, i : i + h, :, j : j + w] += parts[i, j]
    pixels = total.view(n, tall * s, wide * s, channels)[:, p : p + height, p : p + width]
    return pixels.permute(0, 3, 1, 2).clone(memory_format=torch.channels_last)
