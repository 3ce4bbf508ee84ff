"""CycleGAN's generator: a residual network between two halvings and two doublings."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval
from torch import Tensor, nn

INIT_STD = 0.02
HALVINGS = 2


class ResNet(nn.Module):
    """The generator of Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016.

    A 7x7 convolution, two 3x3 convolutions of stride 2, residual blocks, two transposed 3x3
    convolutions, and a 7x7 convolution to the output. With 3 channels in and out it has 11,378,179
    parameters with 9 blocks (for 256 pixels and more), and 7,837,699 with 6 (for 128 pixels).

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        blocks: Number of residual blocks.
        base_channels: Channels after the first convolution; they double with both halvings.
        norm: `instance` norm without scale and bias, as in the paper; or `batch` norm.
        dropout: Probability of setting a value in a residual block to zero, in [0, 1).

    Attributes:
        size_divisor: Height and width of images must be multiples of it: 4.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"blocks": 1, "base_channels": 4}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        blocks: Annotated[int, Ge(0)] = 9,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Literal["instance", "batch"] = "instance",
        dropout: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.0,
    ) -> None:
        super().__init__()
        self.size_divisor = 2**HALVINGS
        width = base_channels
        layers = [nn.ReflectionPad2d(3), *_block(nn.Conv2d(in_channels, width, 7), norm)]
        for _ in range(HALVINGS):
            layers += _block(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), norm)
            width *= 2
        layers += [Residual(width, norm, dropout) for _ in range(blocks)]
        for _ in range(HALVINGS):
            up = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
            layers += _block(up, norm)
            width //= 2
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        _init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Translate `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1]."""
        output: Tensor = self.layers(image)
        return output


class Residual(nn.Module):
    """Two 3x3 convolutions, whose result is added to their input `(N, channels, H, W)`."""

    def __init__(self, channels: int, norm: Literal["instance", "batch"], dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_block(nn.Conv2d(channels, channels, 3), norm),
            *([nn.Dropout(dropout)] if dropout else []),
            nn.ReflectionPad2d(1),
            *_normed(nn.Conv2d(channels, channels, 3), norm),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Apply the block."""
        changed: Tensor = self.layers(features)
        return features + changed


def _block(convolution: nn.Conv2d | nn.ConvTranspose2d, norm: str) -> list[nn.Module]:
    return [*_normed(convolution, norm), nn.ReLU(inplace=True)]


def _normed(convolution: nn.Conv2d | nn.ConvTranspose2d, norm: str) -> list[nn.Module]:
    """A convolution and its norm; batch norm has its own bias."""
    if norm == "batch":
        convolution.register_parameter("bias", None)
        return [convolution, nn.BatchNorm2d(convolution.out_channels)]
    return [convolution, nn.InstanceNorm2d(convolution.out_channels)]


def _init_weights(network: nn.Module) -> None:
    """Initialise convolutions with N(0, 0.02) and norms with N(1, 0.02), without biases."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            mean = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
            nn.init.normal_(layer.weight, mean, INIT_STD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
