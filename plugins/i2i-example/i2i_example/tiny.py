"""A small generator."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn


class Tiny(nn.Module):
    """Three convolutions at full resolution, which can learn colours but not shapes."""

    example_options: ClassVar[Mapping[str, Any]] = {"width": 8}

    def __init__(self, in_channels: int, out_channels: int, *, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, out_channels, 5, padding=2),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Translate `(N, C, H, W)` in [-1, 1]."""
        return self.layers(image)
