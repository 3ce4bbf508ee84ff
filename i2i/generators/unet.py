"""The paper's generators: the U-Net, and the encoder-decoder that it is compared with."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Interval
from torch import Tensor, nn

from i2i.images.sizes import crop_size_text, next_multiple, size_text
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers

MIN_DEPTH = 3

Upsampling = Literal["transposed", "resize"]


class _Hourglass(nn.Module):
    """The layers of both generators, with or without skip connections."""

    skips: ClassVar[bool]

    example_options: ClassVar[Mapping[str, Any]] = {"depth": 3, "base_channels": 4}

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

        # The first map has no norm. Nor has the innermost: if it is 1x1, batch norm would set the
        # values of a single image to zero. With skips, the activation after a map must not work in
        # place, because the decoder reads the map again.
        encoder = []
        for level, width in enumerate(widths):
            channels = widths[level - 1] if level else in_channels
            activation = [nn.LeakyReLU(0.2, inplace=not self.skips)] if level else []
            normed = norm_layers(norm, width) if 0 < level < depth - 1 else []
            encoder.append(nn.Sequential(*activation, _halving(channels, width, norm), *normed))
        self.encoder = nn.ModuleList(encoder)

        decoder: list[nn.Module] = []
        for level in range(depth - 1, 0, -1):
            channels = 2 * widths[level] if self.skips and decoder else widths[level]
            rate = dropout if len(decoder) < dropout_layers else 0.0
            decoder.append(_up(channels, widths[level - 1], norm, upsampling, rate))
        channels = 2 * widths[0] if self.skips else widths[0]
        decoder.append(_up(channels, out_channels, "none", upsampling))
        self.decoder = nn.ModuleList(decoder)

        init_weights(self)


class UNet(_Hourglass):
    """The paper's U-Net: Isola et al. 2017, section 3.2.1 and appendix 6.1.1.

    The encoder halves the image `depth` times, and the decoder doubles it as often. Through the
    skip connections, every decoder block but the first also reads the encoder's map of the same
    size. At depth 8, the layers are those of the original Lua release, which has no norm on the
    innermost map; other depths remove or repeat its innermost blocks. Dropout is the paper's only
    noise.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        image_size: Height and width in pixels, multiples of `2**depth`.
        depth: Number of times that the image is halved, 3 to 10.
        base_channels: Channels of the outermost maps; they double with every halving, up to 8
            times as many.
        norm: Norm after every convolution but the first, the innermost and the last.
        dropout: Probability of setting a value to zero, in [0, 1).
        dropout_layers: Number of decoder blocks with dropout, from the innermost on; never the
            last.
        upsampling: `transposed` convolutions as in the paper, or `resize`: nearest-neighbour
            upsampling and a 3x3 convolution, against checkerboard artefacts (Odena et al. 2016).

    Attributes:
        size_divisor: Height and width of images must be multiples of it: `2**depth`.

    Raises:
        ValueError: If the image can't be halved `depth` times.
    """

    skips = True

    def forward(self, image: Tensor) -> Tensor:
        """Translate `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1].

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
    """The U-Net without skip connections: Isola et al. 2017, sections 3.2.1 and 4.3.

    All information has to pass through the innermost map. The paper's ablation of the generator
    (figure 5 and table 2) compares it with the U-Net.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        image_size: Height and width in pixels, multiples of `2**depth`.
        depth: Number of times that the image is halved, 3 to 10.
        base_channels: Channels of the outermost maps; they double with every halving, up to 8
            times as many.
        norm: Norm after every convolution but the first, the innermost and the last.
        dropout: Probability of setting a value to zero, in [0, 1).
        dropout_layers: Number of decoder blocks with dropout, from the innermost on; never the
            last.
        upsampling: `transposed` convolutions as in the paper, or `resize`: nearest-neighbour
            upsampling and a 3x3 convolution, against checkerboard artefacts (Odena et al. 2016).

    Attributes:
        size_divisor: Height and width of images must be multiples of it: `2**depth`.

    Raises:
        ValueError: If the image can't be halved `depth` times.
    """

    skips = False

    def forward(self, image: Tensor) -> Tensor:
        """Translate `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1].

        Args:
            image: A batch of any height and width that are multiples of `2**depth`.
        """
        features = image
        for block in (*self.encoder, *self.decoder):
            features = block(features)
        return torch.tanh(features)


def _halving(in_channels: int, out_channels: int, norm: Norm) -> nn.Module:
    """A convolution of the encoder, which halves the image.

    With a norm, no convolution has a bias, not even the first and the innermost, which no norm
    follows. So the network has the commonly cited number of 54,413,955 parameters.
    """
    return nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=needs_bias(norm))


def _up(
    in_channels: int, out_channels: int, norm: Norm, upsampling: Upsampling, dropout: float = 0.0
) -> nn.Module:
    """A decoder block, which doubles the map.

    Its activation works in place, because nothing else reads the block's input.
    """
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
        f"depth {depth} halves the image {depth} times and needs height and width to be "
        f"multiples of {factor}, not {size_text(image_size)}: {advice}"
    )
