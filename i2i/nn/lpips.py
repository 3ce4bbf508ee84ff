"""LPIPS: a perceptual distance of two images, from the features of a pretrained network."""

import warnings
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from i2i.images.sizes import size_text
from i2i.nn.precision import full_precision
from i2i.weights import load
from i2i.weights.lpips_heads import lpips_heads

Net = Literal["alex", "vgg", "squeeze"]

_WEIGHTS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}

_SMALLEST = {"alex": 31, "vgg": 16, "squeeze": 17}
"""Smallest height and width by network; smaller images become empty in its pooling layers."""

_TOLERANCE = 1e-6


class LPIPS(nn.Module):
    """Learned perceptual image patch similarity: Zhang et al., CVPR 2018, section 3.

    The network and linear heads (version 0.1) of the `lpips` package, with verified ImageNet
    weights. It stays in eval mode, its parameters are frozen, and it computes in float32.

    Args:
        net: The network that computes the features: AlexNet, VGG16 or SqueezeNet.

    Attributes:
        weights_sha256: SHA-256 of the network's weights, see `i2i.weights`.

    Raises:
        WeightsError: If the network's weights or the heads are unavailable.
    """

    def __init__(self, net: Net = "alex") -> None:
        super().__init__()
        self.net = net
        self.network, self.weights_sha256 = _network(net)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "LPIPS":
        """Stay in eval mode: dropout would change the distance."""
        return super().train(False)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the distance of each pair, `(N,)`; it is at least 0, and 0 for equal images.

        Args:
            output: `(N, 1 or 3, H, W)` in [−1, 1]; a gray image is expanded to three channels.
            target: The same shape and range.

        Raises:
            ValueError: If values lie outside [−1, 1], the number of channels is not 1 or 3, or the
                images are too small for the network.
        """
        self._check(output, target)
        with full_precision(output.device.type):
            pair = (images.float().expand(-1, 3, -1, -1) for images in (output, target))
            distances: Tensor = self.network(*pair)
        return distances.flatten()

    def _check(self, output: Tensor, target: Tensor) -> None:
        if output.shape != target.shape:
            raise ValueError(
                f"LPIPS compares images of one shape, not {tuple(output.shape)} with "
                f"{tuple(target.shape)}"
            )
        if output.shape[1] not in (1, 3):
            raise ValueError(
                f"LPIPS is defined for gray or RGB images, not for {output.shape[1]} channels"
            )
        height, width = output.shape[-2:]
        if min(height, width) < _SMALLEST[self.net]:
            side = _SMALLEST[self.net]
            raise ValueError(
                f"LPIPS with net {self.net} needs images of at least {size_text((side, side))}, "
                f"not {size_text((height, width))}"
            )
        if output.is_meta:
            return
        with torch.no_grad():
            largest = torch.stack([output.abs().amax(), target.abs().amax()]).amax().item()
        if largest > 1 + _TOLERANCE:
            raise ValueError(
                f"LPIPS takes values in [-1, 1]; the largest absolute value is {largest:g}"
            )


def _network(net: Net) -> tuple[nn.Module, str]:
    """Build the package's network without a download and without drawing random numbers."""
    import lpips

    loaded = load(_WEIGHTS[net])
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        network: nn.Module = lpips.LPIPS(  # type: ignore[no-untyped-call]
            pretrained=False, net=net, pnet_rand=True, verbose=False
        )
    state = _sliced(network, loaded.tensors) | lpips_heads(net)
    network.load_state_dict(state, strict=False, assign=True)
    missing = [name for name, tensor in network.state_dict().items() if tensor.is_meta]
    assert not missing, missing
    return network, loaded.sha256


def _sliced(network: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename torchvision's tensors `features.N.…` to the package's names, `net.sliceM.N.…`."""
    sliced = {}
    for name in network.state_dict():
        if name.startswith("net.slice"):
            sliced[name] = tensors["features." + name.split(".", 2)[2]]
    return sliced
