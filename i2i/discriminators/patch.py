"""The paper's discriminators: one family by receptive field, from a pixel to the whole image."""

from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from i2i.images.sizes import crop_size_text, size_text
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers

HALVINGS = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""How many convolutions of stride 2 give which receptive field."""


class Patch(nn.Module):
    """PatchGAN, judges every patch of an image on its own: Isola et al. 2017, section 3.2.2.

    4x4 convolutions with LeakyReLU 0.2 as in appendix 6.1.2: some of stride 2, one of stride 1
    and one more to a single channel, without norm on the first and the last. A receptive field of
    70 is the paper's default; 34 and 142 continue its series.

    Args:
        in_channels: Channels of what is judged: the image, and the condition beside it if any.
        image_size: Height and width in pixels.
        receptive_field: Side of the patch one logit sees, in pixels.
        base_channels: Channels after the first convolution; they double up to 8 times as many.
        norm: Norm after the convolutions between the first and the last.

    Raises:
        ValueError: If the image is too small for the layers of this receptive field.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: tuple[int, int],
        *,
        receptive_field: Literal[16, 34, 70, 142, 286] = 70,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        _check_size(receptive_field, image_size)
        halvings = HALVINGS[receptive_field]
        layers: list[nn.Module] = []
        seen = in_channels
        for level in range(halvings + 1):
            width = min(base_channels * 2**level, 8 * base_channels)
            stride = 2 if level < halvings else 1
            layers += _block(seen, width, "none" if level == 0 else norm, 4, stride)
            seen = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(seen, 1, 4, padding=1))
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Judges `(N, in_channels, H, W)` in [-1, 1].

        Returns:
            Logits `(N, 1, h, w)`, one a patch, where `h` is `H` halved (rounded down) as often as
            there are strides of 2, minus 2: 126, 62, 30, 14 or 6 for 256.
        """
        return self.judge(image)[0]

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        """Judges several batches of one shape in one pass, see `forward`."""
        return _judge(self.layers, batches)


class Image(Patch):
    """ImageGAN, patches so large (286) that each sees all of a 256x256 image.

    Isola et al. 2017, section 4.4 and appendix 6.1.2. Its output is still a map, 6x6 for 256x256.

    Args:
        in_channels: Channels of what is judged: the image, and the condition beside it if any.
        image_size: Height and width in pixels, at least 96.
        base_channels: Channels after the first convolution; they double up to 8 times as many.
        norm: Norm after the convolutions between the first and the last.

    Raises:
        ValueError: If the image is smaller than 96 pixels.
    """

    def __init__(
        self,
        in_channels: int,
        image_size: tuple[int, int],
        *,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
    ) -> None:
        super().__init__(
            in_channels, image_size, receptive_field=286, base_channels=base_channels, norm=norm
        )


class Pixel(nn.Module):
    """PixelGAN, judges every pixel on its own: Isola et al. 2017, section 4.4, appendix 6.1.2.

    Three 1x1 convolutions with LeakyReLU 0.2, a norm after the second: it sees colour, no
    structure.

    Args:
        in_channels: Channels of what is judged: the image, and the condition beside it if any.
        base_channels: Channels after the first convolution; twice as many after the second.
        norm: Norm after the second convolution.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_block(in_channels, base_channels, "none", 1),
            *_block(base_channels, 2 * base_channels, norm, 1),
            nn.Conv2d(2 * base_channels, 1, 1),
        )
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Judges `(N, in_channels, H, W)` in [-1, 1]: logits `(N, 1, H, W)`, one a pixel."""
        return self.judge(image)[0]

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        """Judges several batches of one shape in one pass, see `forward`."""
        return _judge(self.layers, batches)


def _judge(layers: nn.Sequential, batches: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What the layers make of each batch; batch norm takes one batch's statistics at a time."""
    n = len(batches)
    maps = torch.cat(batches) if n > 1 else batches[0]
    for layer in layers:
        if n > 1 and isinstance(layer, nn.BatchNorm2d):
            maps = torch.cat([layer(part) for part in maps.chunk(n)])
        else:
            maps = layer(maps)
    return maps.chunk(n)


def _block(
    in_channels: int, out_channels: int, norm: Norm, kernel: int, stride: int = 1
) -> list[nn.Module]:
    """Convolution, norm, activation."""
    padding = 1 if kernel > 1 else 0
    bias = needs_bias(norm)
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias),
        *norm_layers(norm, out_channels),
        nn.LeakyReLU(0.2, inplace=True),
    ]


def _smallest_side(receptive_field: int) -> int:
    """The smallest image: the two convolutions of stride 1 take a pixel each and leave one."""
    return int(3 * 2 ** HALVINGS[receptive_field])


def _check_size(receptive_field: int, image_size: tuple[int, int]) -> None:
    side = _smallest_side(receptive_field)
    if min(image_size) >= side:
        return
    fitting = [field for field in HALVINGS if _smallest_side(field) <= min(image_size)]
    other = f'"patch" with receptive_field = {fitting[-1]}' if fitting else '"pixel"'
    height, width = image_size
    raise ValueError(
        f"a receptive field of {receptive_field} needs images of at least {side}x{side}, not "
        f"{size_text(image_size)}: set augment.crop_size to "
        f"{crop_size_text((max(height, side), max(width, side)))} or the discriminator's type to "
        f"{other}"
    )
