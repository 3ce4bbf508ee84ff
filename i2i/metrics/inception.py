"""The Inception network that defines FID: TensorFlow's of 2015-12-05, up to its features.

Its pooling differs from the published Inception v3 and from torchvision: average pooling ignores
the padding, and the last block uses max pooling.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 299
"""Height and width of the input images."""

DIMENSIONS = 2048

_BN_EPSILON = 1e-3


class Inception(nn.Module):
    """Szegedy et al., CVPR 2016, to the 2048 features after the last pooling.

    Batch norms are folded into the convolutions before them, which saves a pass over each feature
    map. This changes features by about 2e-6 of the largest, no more than another memory format.

    Args:
        tensors: The weights, named as in torch-fidelity.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _Conv(3, 32, 3, stride=2),
            _Conv(32, 32, 3),
            _Conv(32, 64, 3, padding=1),
            nn.MaxPool2d(3, 2),
            _Conv(64, 80, 1),
            _Conv(80, 192, 3),
            nn.MaxPool2d(3, 2),
        )
        self.blocks = nn.Sequential(
            _BlockA(192, 32),
            _BlockA(256, 64),
            _BlockA(288, 64),
            _BlockB(288),
            _BlockC(128),
            _BlockC(160),
            _BlockC(160),
            _BlockC(192),
            _BlockD(768),
            _BlockE(1280, _average),
            _BlockE(2048, _maximum),
        )
        self.load_state_dict(_folded(tensors))
        self.requires_grad_(False).eval()
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Compute features `(N, 2048)` of images `(N, 3, 299, 299)` in [−1, 1]."""
        maps = self.blocks(self.stem(images.contiguous(memory_format=torch.channels_last)))
        features: Tensor = maps.mean(dim=(2, 3))
        return features


class _Conv(nn.Conv2d):
    """A convolution with a folded batch norm, then ReLU."""

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu_(super().forward(maps))


def _across(channels: int, out_channels: int) -> _Conv:
    return _Conv(channels, out_channels, (1, 7), padding=(0, 3))


def _down(channels: int, out_channels: int) -> _Conv:
    return _Conv(channels, out_channels, (7, 1), padding=(3, 0))


def _average(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps, 3, 1, 1, count_include_pad=False)


def _maximum(maps: Tensor) -> Tensor:
    return F.max_pool2d(maps, 3, 1, 1)


class _BlockA(nn.Module):
    def __init__(self, channels: int, pool_channels: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(channels, 64, 1)
        self.branch5x5 = nn.Sequential(_Conv(channels, 48, 1), _Conv(48, 64, 5, padding=2))
        self.branch3x3dbl = nn.Sequential(
            _Conv(channels, 64, 1), _Conv(64, 96, 3, padding=1), _Conv(96, 96, 3, padding=1)
        )
        self.branch_pool = _Conv(channels, pool_channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        branches = self.branch1x1, self.branch5x5, self.branch3x3dbl
        return torch.cat([*(b(maps) for b in branches), self.branch_pool(_average(maps))], 1)


class _BlockB(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(channels, 384, 3, stride=2)
        self.branch3x3dbl = nn.Sequential(
            _Conv(channels, 64, 1), _Conv(64, 96, 3, padding=1), _Conv(96, 96, 3, stride=2)
        )

    def forward(self, maps: Tensor) -> Tensor:
        pooled = F.max_pool2d(maps, 3, 2)
        return torch.cat([self.branch3x3(maps), self.branch3x3dbl(maps), pooled], 1)


class _BlockC(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7 = nn.Sequential(
            _Conv(768, width, 1), _across(width, width), _down(width, 192)
        )
        self.branch7x7dbl = nn.Sequential(
            _Conv(768, width, 1),
            _down(width, width),
            _across(width, width),
            _down(width, width),
            _across(width, 192),
        )
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, maps: Tensor) -> Tensor:
        branches = self.branch1x1, self.branch7x7, self.branch7x7dbl
        return torch.cat([*(b(maps) for b in branches), self.branch_pool(_average(maps))], 1)


class _BlockD(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = nn.Sequential(_Conv(channels, 192, 1), _Conv(192, 320, 3, stride=2))
        self.branch7x7x3 = nn.Sequential(
            _Conv(channels, 192, 1),
            _across(192, 192),
            _down(192, 192),
            _Conv(192, 192, 3, stride=2),
        )

    def forward(self, maps: Tensor) -> Tensor:
        pooled = F.max_pool2d(maps, 3, 2)
        return torch.cat([self.branch3x3(maps), self.branch7x7x3(maps), pooled], 1)


class _BlockE(nn.Module):
    def __init__(self, channels: int, pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = _Conv(channels, 320, 1)
        self.branch3x3 = _Fork(nn.Sequential(_Conv(channels, 384, 1)))
        self.branch3x3dbl = _Fork(
            nn.Sequential(_Conv(channels, 448, 1), _Conv(448, 384, 3, padding=1))
        )
        self.branch_pool = _Conv(channels, 192, 1)

    def forward(self, maps: Tensor) -> Tensor:
        branches = self.branch1x1, self.branch3x3, self.branch3x3dbl
        return torch.cat([*(b(maps) for b in branches), self.branch_pool(self.pool(maps))], 1)


class _Fork(nn.Module):
    """Convolutions that end in two parallel ones, 1 × 3 and 3 × 1."""

    def __init__(self, trunk: nn.Sequential) -> None:
        super().__init__()
        self.trunk = trunk
        self.across = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.down = _Conv(384, 384, (3, 1), padding=(1, 0))

    def forward(self, maps: Tensor) -> Tensor:
        trunk = self.trunk(maps)
        return torch.cat([self.across(trunk), self.down(trunk)], 1)


_STEM = {
    "Conv2d_1a_3x3": "stem.0",
    "Conv2d_2a_3x3": "stem.1",
    "Conv2d_2b_3x3": "stem.2",
    "Conv2d_3b_1x1": "stem.4",
    "Conv2d_4a_3x3": "stem.5",
}
_BLOCKS = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")


def _own_name(name: str) -> str:
    """Convert torch-fidelity's name of a convolution to the name in `Inception`."""
    if name in _STEM:
        return _STEM[name]
    block, branch = name.removeprefix("Mixed_").split(".")
    place = f"blocks.{_BLOCKS.index(block)}"
    # branch3x3dbl_3 is the third of its branch. In blocks 7b and 7c, 3a and 3b are the fork.
    stem, _, part = branch.partition("_") if branch != "branch_pool" else (branch, "", "")
    if not part:
        return f"{place}.{stem}"
    if block in ("7b", "7c"):
        end = {"a": "across", "b": "down"}.get(part[-1])
        return f"{place}.{stem}.{end or f'trunk.{int(part) - 1}'}"
    return f"{place}.{stem}.{int(part) - 1}"


def _folded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fold each batch norm into the convolution before it, in float64."""
    folded = {}
    for name in (key.removesuffix(".conv.weight") for key in tensors if "conv.weight" in key):
        norm = {
            part: tensors[f"{name}.bn.{part}"].double()
            for part in ("weight", "bias", "running_mean", "running_var")
        }
        gain = norm["weight"] / (norm["running_var"] + _BN_EPSILON).sqrt()
        weight = tensors[f"{name}.conv.weight"].double() * gain[:, None, None, None]
        own = _own_name(name)
        folded[f"{own}.weight"] = weight.float()
        folded[f"{own}.bias"] = (norm["bias"] - norm["running_mean"] * gain).float()
    return folded
