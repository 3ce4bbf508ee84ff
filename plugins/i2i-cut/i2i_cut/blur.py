"""Changes of resolution with a blur against aliasing: Zhang, ICML 2019."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BlurDown(nn.Module):
    """Halve height and width: a [1 2 1] blur with reflection, then every second pixel."""

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("filter", (line[:, None] * line[None, :] / 16)[None, None])

    def forward(self, maps: Tensor) -> Tensor:
        """Map `(N, C, H, W)` to `(N, C, ceil(H / 2), ceil(W / 2))`."""
        assert isinstance(self.filter, Tensor)
        channels = maps.shape[1]
        weight = self.filter.expand(channels, -1, -1, -1)
        padded = F.pad(maps, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, weight, stride=2, groups=channels)


class BlurUp(nn.Module):
    """Double height and width: zeros between the pixels, then a [1 3 3 1] blur.

    With a replicated border this is bilinear interpolation, which torch computes faster.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Map `(N, C, H, W)` to `(N, C, 2 H, 2 W)`."""
        return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
