"""Norm layers and the paper's weight initialisation."""

from typing import Literal, get_args

from torch import nn

Norm = Literal["batch", "instance", "plain_instance", "none"]
"""The norm after a convolution; `instance` has a learned scale and bias, like `batch`, and
`plain_instance` has none."""

INIT_STD = 0.02
"""Standard deviation of the paper's initial weights."""


def norm_layers(norm: Norm, channels: int) -> list[nn.Module]:
    """The layers of a norm: a list of one layer, or an empty list for `none`.

    Args:
        norm: Name of the norm.
        channels: Channels of the map `(N, channels, H, W)`.

    Raises:
        ValueError: If the name is unknown.
    """
    if norm not in get_args(Norm):
        known = ", ".join(f'"{name}"' for name in get_args(Norm))
        raise ValueError(f"unknown norm {norm!r}: set norm to one of {known}")
    match norm:
        case "batch":
            return [nn.BatchNorm2d(channels)]
        case "instance":
            return [nn.InstanceNorm2d(channels, affine=True)]
        case "plain_instance":
            return [nn.InstanceNorm2d(channels)]
        case "none":
            return []


def needs_bias(norm: Norm) -> bool:
    """Whether a convolution before this norm needs a bias: if the norm has none of its own."""
    return norm in ("plain_instance", "none")


def init_weights(network: nn.Module) -> None:
    """Initialise the weights of a network in place, as Pix2Pix does.

    Convolutions and transposed convolutions get weights from N(0, 0.02), norms get scales from
    N(1, 0.02), and all biases are 0: Isola et al. 2017, appendix 6.2, and `weights_init` of the
    original Lua release. 0.02 is the standard deviation.
    """
    for layer in network.modules():
        match layer:
            case nn.Conv2d() | nn.ConvTranspose2d():
                mean = 0.0
            case nn.BatchNorm2d() | nn.InstanceNorm2d():
                mean = 1.0
            case _:
                continue
        # A norm without affine parameters has neither; a convolution before a norm has no bias.
        if layer.weight is not None:
            nn.init.normal_(layer.weight, mean, INIT_STD)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
