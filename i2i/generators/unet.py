"""The paper's generators: U-Net, and the encoder-decoder it is compared with."""

from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Interval
from torch import Tensor, nn

from i2i.images.sizes import crop_size_text, next_multiple, size_text
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers

MIN_DEPTH = 3

Upsampling = Literal["transposed", "resize"]


class _Hourglass(nn.Module):
    """The blocks of both generators; they differ in whether the decoder sees skips."""

    skips: ClassVar[bool]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        image_size: tuple[int, int],
        *,
        depth: Annotated[int, Interval(ge=MIN_DEPTH, le=10)] = 8,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
        dropout: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.5,
        dropout_layers: Annotated[int, Interval(ge=0, le=9)] = 3,
        upsampling: Upsampling = "transposed",
    ) -> None:
        super().__init__()
        _check_size(depth, image_size)
        self.size_divisor = 2**depth
        widths = [min(base_channels * 2**level, 8 * base_channels) for level in range(depth)]

        # No norm on the first map, and none on the last one: where it is 1x1 a batch of one image
        # would be normalised to zero. A skip must keep its values, so what follows it can't act
        # in place.
        encoder = []
        for level, width in enumerate(widths):
            seen = widths[level - 1] if level else in_channels
            activation = [nn.LeakyReLU(0.2, inplace=not self.skips)] if level else []
            normed = norm_layers(norm, width) if 0 < level < depth - 1 else []
            encoder.append(nn.Sequential(*activation, _halving(seen, width, norm), *normed))
        self.encoder = nn.ModuleList(encoder)

        decoder: list[nn.Module] = []
        for level in range(depth - 1, 0, -1):
            seen = 2 * widths[level] if self.skips and decoder else widths[level]
            rate = dropout if len(decoder) < dropout_layers else 0.0
            decoder.append(_up(seen, widths[level - 1], norm, upsampling, rate))
        seen = 2 * widths[0] if self.skips else widths[0]
        decoder.append(_up(seen, out_channels, "none", upsampling))
        self.decoder = nn.ModuleList(decoder)

        init_weights(self)


class UNet(_Hourglass):
    """The paper's U-Net: Isola et al. 2017, section 3.2.1 and appendix 6.1.1.

    Halves the image `depth` times and doubles it back, every decoder block but the first reading
    the encoder's map of its own size as well. At depth 8 these are the layers of the original Lua
    release, which has no norm on the innermost map; other depths drop or repeat its innermost
    blocks. Dropout is the paper's only noise.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        image_size: Height and width in pixels, multiples of `2**depth`.
        depth: How often the image is halved, 3 to 10.
        base_channels: Channels of the outermost maps; they double inwards up to 8 times as many.
        norm: Norm after every convolution but the first, the innermost and the last.
        dropout: Probability of dropping a value, in [0, 1).
        dropout_layers: How many decoder blocks drop values, from the innermost; never the last.
        upsampling: `transposed` convolutions as in the paper, or `resize`: nearest neighbour twice
            as large and a 3x3 convolution, against checkerboards (Odena et al. 2016).

    Attributes:
        size_divisor: What height and width must be multiples of.

    Raises:
        ValueError: If the image can't be halved `depth` times.
    """

    skips = True

    def forward(self, image: Tensor) -> Tensor:
        """Translates `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1].

        Args:
            image: A batch of any height and width that are multiples of `2**depth`.
        """
        features, skips = image, []
        for down in self.encoder:
            features = down(features)
            skips.append(features)
        skips.pop()  # the innermost map is the decoder's input, not a skip
        for up in self.decoder:
            features = up(features)
            if skips:
                features = torch.cat([features, skips.pop()], dim=1)
        return torch.tanh(features)


class EncoderDecoder(_Hourglass):
    """The U-Net without its skips: Isola et al. 2017, sections 3.2.1 and 4.3.

    Everything has to pass the innermost map. The paper's ablation of the generator (figure 5 and
    table 2) compares it with the U-Net.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        image_size: Height and width in pixels, multiples of `2**depth`.
        depth: How often the image is halved, 3 to 10.
        base_channels: Channels of the outermost maps; they double inwards up to 8 times as many.
        norm: Norm after every convolution but the first, the innermost and the last.
        dropout: Probability of dropping a value, in [0, 1).
        dropout_layers: How many decoder blocks drop values, from the innermost; never the last.
        upsampling: `transposed` convolutions as in the paper, or `resize`: nearest neighbour twice
            as large and a 3x3 convolution, against checkerboards (Odena et al. 2016).

    Attributes:
        size_divisor: What height and width must be multiples of.

    Raises:
        ValueError: If the image can't be halved `depth` times.
    """

    skips = False

    def forward(self, image: Tensor) -> Tensor:
        """Translates `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1].

        Args:
            image: A batch of any height and width that are multiples of `2**depth`.
        """
        features = image
        for block in (*self.encoder, *self.decoder):
            features = block(features)
        return torch.tanh(features)


def _halving(in_channels: int, out_channels: int, norm: Norm) -> nn.Module:
    """An encoder's convolution.

    Under a norm none of them has a bias, not even the first and the innermost one, which have no
    norm of their own: so it is in the network whose 54,413,955 parameters everybody counts.
    """
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=needs_bias(norm))


def _up(
    in_channels: int, out_channels: int, norm: Norm, upsampling: Upsampling, dropout: float = 0.0
) -> nn.Module:
    """A decoder block: doubles the map; nobody else reads what it is given."""
    bias = needs_bias(norm)
    doubling: list[nn.Module]
    if upsampling == "resize":
        doubling = [
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias),
        ]
    else:
        doubling = [
            nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
        ]
    return nn.Sequential(
        nn.ReLU(inplace=True),
        *doubling,
        *norm_layers(norm, out_channels),
        *([nn.Dropout(dropout)] if dropout else []),
    )


def _check_size(depth: int, image_size: tuple[int, int]) -> None:
    factor = 2**depth
    if next_multiple(image_size, factor) == image_size:
        return
    shallower = depth
    while shallower and any(side % 2**shallower for side in image_size):
        shallower -= 1
    advice = f"set augment.crop_size to {crop_size_text(next_multiple(image_size, factor))}"
    if shallower >= MIN_DEPTH and min(image_size) > 0:
        advice += f" or generator.depth to {shallower}"
    raise ValueError(
        f"depth {depth} halves the image {depth} times and needs height and width that are "
        f"multiples of {factor}, not {size_text(image_size)}: {advice}"
    )
