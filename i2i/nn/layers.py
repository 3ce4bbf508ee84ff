"""What the networks share: norms, the paper's weight init, how sizes are written in messages."""

from typing import Literal

from torch import nn

Norm = Literal["batch", "instance", "none"]
"""The norm after a convolution; `instance` has a learned scale and bias, as `batch` has."""

INIT_STD = 0.02
"""Standard deviation of the paper's initial weights."""


def norm_layers(norm: Norm, channels: int) -> list[nn.Module]:
    """The layers of a norm, to be unpacked after a convolution: one, or none at all.

    Args:
        norm: Name of the norm.
        channels: Channels of the `(N, channels, H, W)` map it normalises.

    Raises:
        ValueError: If there is no norm of that name.
    """
    match norm:
        case "batch":
            return [nn.BatchNorm2d(channels)]
        case "instance":
            return [nn.InstanceNorm2d(channels, affine=True)]
        case "none":
            return []
    raise ValueError(f'unknown norm {norm!r}: set norm to "batch", "instance" or "none"')


def needs_bias(norm: Norm) -> bool:
    """Whether a convolution followed by this norm has a bias: only where there is no norm."""
    return norm == "none"


def init_weights(network: nn.Module) -> None:
    """Draws the weights of a network as Pix2Pix does, in place.

    Convolutions and transposed convolutions N(0, 0.02) with bias 0, norm scales N(1, 0.02) with
    bias 0: Isola et al. 2017, appendix 6.2, and `weights_init` of the original Lua release.
    """
    for layer in network.modules():
        match layer:
            case nn.Conv2d() | nn.ConvTranspose2d():
                mean = 0.0
            case nn.BatchNorm2d() | nn.InstanceNorm2d():
                mean = 1.0
            case _:
                continue
        # A norm without an affine part has neither parameter, a convolution beside one no bias.
        if layer.weight is not None:
            nn.init.normal_(layer.weight, mean, INIT_STD)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
