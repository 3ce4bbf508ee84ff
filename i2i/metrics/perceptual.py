"""LPIPS: the perceptual distance between an output and its target."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.images.tensors import to_float
from i2i.metrics.devices import on_device
from i2i.metrics.pixel import MeanOverImages
from i2i.nn.lpips import LPIPS as Network

Net = Literal["alex", "vgg", "squeeze"]


class LPIPS(MeanOverImages):
    """Learned perceptual image patch similarity (Zhang et al., CVPR 2018), 0 for equal images.

    Computed by the `lpips` package with version 0.1 of its linear layers.

    Args:
        net: The network that computes the features. The authors recommend `alex` for evaluation.
    """

    higher_is_better = False

    def __init__(self, *, net: Net = "alex") -> None:
        super().__init__()
        self.net = net
        self.label = f"lpips[{net}]"
        self._network = _network(net)

    @torch.inference_mode()
    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the distance `(N,)` of each pair; both uint8 or uint16 `(N, 1 or 3, H, W)`."""
        network = on_device(self._network, output.device)
        try:
            distances: Tensor = network(to_float(output), to_float(target))
        except ValueError as error:
            raise DataError([f"{self.label}: {error}"]) from error
        return distances

    def settings(self) -> Mapping[str, Any]:
        """Return the network and its weights."""
        return {
            "net": self.net,
            "weights_sha256": self._network.weights_sha256,
            "lpips": version("lpips"),
            "dtype": "float32",
        }


@cache
def _network(net: Net) -> Network:
    return Network(net)
