"""Norms at test time: batch norm of one image, and norms that the tiles of an image share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Statistics = Literal["per_image", "running"]

Norms = Mapping[Callable[..., Tensor], Callable[..., Tensor]]
"""Replacements for norms of `torch.nn.functional`; each takes the same arguments."""


def norms_of_images(statistics: Statistics) -> Norms:
    """What replaces batch norm, so that each image of a batch is normalised as if it were alone.

    Args:
        statistics: As in `TestSettings`. The running averages need no replacement in eval mode.
    """
    return {F.batch_norm: partial(_batch_norm, _of_image)} if statistics == "per_image" else {}


def _of_image(features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Normalise each channel of each image."""
    return F.instance_norm(features, weight=weight, bias=bias, eps=eps)


def _batch_norm(
    norm: Callable[[Tensor, Tensor | None, Tensor | None, float], Tensor],
    features: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Another norm in place of batch norm, except for a single pixel."""
    if _is_pixel(features) and running_mean is not None:
        return F.batch_norm(features, running_mean, running_var, weight, bias, eps=eps)
    return norm(features, weight, bias, eps)


def _is_pixel(features: Tensor) -> bool:
    """Whether a map has a single pixel, which has no variance."""
    return prod(features.shape[2:]) == 1


class SharedNorms:
    """Norms with the same mean and variance per layer for all tiles of an image.

    With separate statistics, a tile of plain sky would get as much contrast as a tile of a wall.
    Layers are identified by the order in which the network calls them, so `begin` must be called
    before every pass through the network.

    Args:
        statistics: Whether batch norm has statistics of the image. Instance and group norm always
            have them.
    """

    def __init__(self, statistics: Statistics) -> None:
        self.replacements: Norms = {
            F.instance_norm: self._instance_norm,
            F.group_norm: self._group_norm,
        }
        if statistics == "per_image":
            self.replacements = {
                **self.replacements,
                F.batch_norm: partial(_batch_norm, self._of_channels),
            }
        self.known: list[tuple[Tensor, Tensor]] = []
        self.met: list[list[tuple[Tensor, Tensor]]] | None = None
        self.layer = 0

    def begin(self) -> None:
        """Start a pass through the network: the next call is from the first layer."""
        self.layer = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """A context that measures statistics; they are used from its end on."""
        self.met = []
        yield
        self.known = [_merged(tiles) for tiles in self.met]
        self.met = None

    def _of_channels(
        self, features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> Tensor:
        """Normalise each channel, as `_of_image` does."""
        if features.ndim != 4:
            return _of_image(features, weight, bias, eps)
        return self._norm(features, features.shape[1], weight, bias, eps)

    def _instance_norm(
        self,
        features: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        use_input_stats: bool = True,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not use_input_stats:
            return F.instance_norm(
                features, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
            )
        return self._of_channels(features, weight, bias, eps)

    def _group_norm(
        self,
        features: Tensor,
        num_groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
    ) -> Tensor:
        if features.ndim != 4:
            return F.group_norm(features, num_groups, weight, bias, eps)
        return self._norm(features, num_groups, weight, bias, eps)

    def _norm(
        self, features: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> Tensor:
        """Normalise a map `(N, C, H, W)` in groups of channels."""
        layer, self.layer = self.layer, self.layer + 1
        if self.met is not None:
            grouped = features.reshape(len(features), groups, -1)
            variance, mean = torch.var_mean(grouped, dim=(0, 2), correction=0)
            if layer == len(self.met):
                self.met.append([])
            self.met[layer].append((mean, variance))
        if not self.known:
            return F.group_norm(features, groups, weight, bias, eps)
        each = features.shape[1] // groups
        mean, variance = (value.repeat_interleave(each) for value in self.known[layer])
        return F.batch_norm(features, mean, variance, weight, bias, eps=eps)


def _merged(tiles: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Combine the means and variances `(groups,)` of several tiles of the same size."""
    means = torch.stack([mean for mean, _ in tiles])
    variances = torch.stack([variance for _, variance in tiles])
    # Mean of squares minus square of the mean would lose all digits on flat features.
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)
