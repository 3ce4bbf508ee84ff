"""Changes of resolution with a blur against aliasing: Zhang, ICML 2019."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BlurDown(nn.Module):
    """Halve height and width: a [1 2 1] blur with reflection, then every second pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", _filter((1, 2, 1)))

    def forward(self, maps: Tensor) -> Tensor:
        """Map `(N, C, H, W)` to `(N, C, ceil(H / 2), ceil(W / 2))`."""
        padded = F.pad(maps, (1, 1, 1, 1), mode="reflect")
        channels = maps.shape[1]
        return F.conv2d(padded, _each(self.filter, channels), stride=2, groups=channels)


class BlurUp(nn.Module):
    """Double height and width: zeros between the pixels, then a [1 3 3 1] blur.

    The border is replicated. The filter has the sum 4, because 3 of 4 pixels are zeros.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", 4 * _filter((1, 3, 3, 1)))

    def forward(self, maps: Tensor) -> Tensor:
        """Map `(N, C, H, W)` to `(N, C, 2 H, 2 W)`."""
        padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
        channels = maps.shape[1]
        weight = _each(self.filter, channels)
        return F.conv_transpose2d(padded, weight, stride=2, padding=3, groups=channels)


def _filter(taps: tuple[int, ...]) -> Tensor:
    """A separable filter `(1, 1, n, n)` with the sum 1."""
    line = torch.tensor(taps, dtype=torch.float32)
    square = line[:, None] * line[None, :]
    return (square / square.sum())[None, None]


def _each(kernel: Tensor | nn.Module, channels: int) -> Tensor:
    """The same filter for every channel, `(channels, 1, n, n)`."""
    assert isinstance(kernel, Tensor)
    return kernel.expand(channels, -1, -1, -1)
