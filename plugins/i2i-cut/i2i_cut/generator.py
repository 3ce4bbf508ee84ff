"""CUT's generator: a residual network whose layers can be looked at."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, overload

from annotated_types import Ge
from torch import Tensor, nn

from i2i_cut.blur import BlurDown, BlurUp
from i2i_cut.weights import init_weights

HALVINGS = 2


class CutResNet(nn.Module):
    """The generator of Park et al. 2020, appendix C.1, and their code.

    CycleGAN's residual network (Zhu et al. 2017, appendix 7.2) with blurred changes of resolution:
    a 7x7 convolution, two 3x3 convolutions, each before a halving, residual blocks, two 3x3
    convolutions, each after a doubling, and a 7x7 convolution to the output. All but the last have
    an instance norm without scale and bias. With 9 blocks and 3 channels in and out it has
    11,378,179 parameters.

    Its layers have the authors' numbers: 0 is the padded image, 4 and 8 are the 3x3 convolutions
    before the halvings, and 12 is the first residual block. The encoder are all layers before the
    first doubling: with 9 blocks, 0 to 20.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        blocks: Number of residual blocks.
        base_channels: Channels after the first convolution; they double with both halvings.

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
    ) -> None:
        super().__init__()
        self.size_divisor = 2**HALVINGS
        width = base_channels
        layers: list[nn.Module] = [nn.ReflectionPad2d(3)]
        layers += _block(nn.Conv2d(in_channels, width, 7))
        for _ in range(HALVINGS):
            layers += [*_block(nn.Conv2d(width, 2 * width, 3, padding=1)), BlurDown()]
            width *= 2
        layers += [Residual(width) for _ in range(blocks)]
        self.encoder_layers = len(layers)
        for _ in range(HALVINGS):
            layers += [BlurUp(), *_block(nn.Conv2d(width, width // 2, 3, padding=1))]
            width //= 2
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.in_channels = in_channels
        init_weights(self)

    @overload
    def forward(self, images: Tensor) -> Tensor: ...

    @overload
    def forward(self, images: Tensor, layers: Sequence[int]) -> tuple[Tensor, ...]: ...

    def forward(
        self, images: Tensor, layers: Sequence[int] | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Translate images, or compute the results of some of the layers.

        Args:
            images: `(N, in_channels, H, W)` in [-1, 1].
            layers: Numbers of layers, in rising order; layers after the last are not computed.

        Returns:
            Without `layers`, the output `(N, out_channels, H, W)` in [-1, 1]. With them, the result
            `(N, C, h, w)` of each.
        """
        if layers is None:
            output: Tensor = self.layers(images)
            return output
        features = []
        maps = images
        for number, layer in enumerate(self.layers[: layers[-1] + 1]):
            maps = layer(maps)
            if number in layers:
                features.append(maps)
        return tuple(features)

    def feature_channels(self, layers: Sequence[int]) -> tuple[int, ...]:
        """The channels of the results of layers of the encoder.

        Raises:
            ValueError: If there are none, or one isn't in the encoder, or they don't rise.
        """
        last = self.encoder_layers - 1
        if not layers or list(layers) != sorted({*layers}) or layers[0] < 0 or layers[-1] > last:
            raise ValueError(
                f"layers must be rising numbers of the encoder's layers, 0 to {last} with the "
                f"generator's blocks, not {list(layers)}: change method.layers or generator.blocks"
            )
        channels = []
        width = self.in_channels
        for layer in self.layers[: layers[-1] + 1]:
            width = layer.out_channels if isinstance(layer, nn.Conv2d) else width
            channels.append(width)
        return tuple(channels[number] for number in layers)


class Residual(nn.Module):
    """Two 3x3 convolutions, whose result is added to their input `(N, channels, H, W)`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_block(nn.Conv2d(channels, channels, 3)),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Apply the block."""
        changed: Tensor = self.layers(maps)
        return maps + changed


def _block(convolution: nn.Conv2d) -> list[nn.Module]:
    """Convolution, norm, activation; not in place, because each result may be a feature."""
    return [convolution, nn.InstanceNorm2d(convolution.out_channels), nn.ReLU()]
