"""The paper's discriminators, with receptive fields from one pixel to the whole image."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from i2i.images.sizes import crop_size_text, size_text
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers

HALVINGS = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""Number of convolutions of stride 2, by receptive field."""


class Patch(nn.Module):
    """PatchGAN, judges every patch of an image on its own: Isola et al. 2017, section 3.2.2.

    4x4 convolutions with LeakyReLU 0.2, as in appendix 6.1.2: some of stride 2, one of stride 1,
    and a last one of stride 1 to a single channel. The first and the last have no norm. The paper's
    default is a receptive field of 70; 34 and 142 are not in the paper and extend its series.

    Args:
        in_channels: Channels of the image, plus those of the input for a conditional loss.
        image_size: Height and width in pixels.
        receptive_field: Side in pixels of the patch that one logit sees.
        base_channels: Channels after the first convolution; they double with every convolution, up
            to 8 times as many.
        norm: Norm after the convolutions between the first and the last.

    Raises:
        ValueError: If the image is too small for the layers of this receptive field.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"base_channels": 4}

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
        self.layers = patch_layers(in_channels, receptive_field, base_channels, norm)
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Compute the logits of a batch `(N, in_channels, H, W)` in [-1, 1].

        Returns:
            Logits `(N, 1, h, w)`, one per patch. `h` is `H` halved (rounded down) once per
            convolution of stride 2, minus 2: 126, 62, 30, 14 or 6 for `H` = 256.
        """
        return self.judge(image)[0]

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits of several batches of the same shape in one pass, see `forward`."""
        return _judge(self.layers, batches)


class Image(Patch):
    """ImageGAN: with a receptive field of 286, each logit sees all of a 256x256 image.

    Isola et al. 2017, section 4.4 and appendix 6.1.2. The output is still a map: 6x6 logits for
    256x256 pixels.

    Args:
        in_channels: Channels of the image, plus those of the input for a conditional loss.
        image_size: Height and width in pixels, at least 96.
        base_channels: Channels after the first convolution; they double with every convolution, up
            to 8 times as many.
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

    Three 1x1 convolutions with LeakyReLU 0.2 and a norm after the second. It sees colours, but no
    structure.

    Args:
        in_channels: Channels of the image, plus those of the input for a conditional loss.
        base_channels: Channels after the first convolution; twice as many after the second.
        norm: Norm after the second convolution.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"base_channels": 4}

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
        """Compute logits `(N, 1, H, W)`, one per pixel, of a batch `(N, in_channels, H, W)`.

        Args:
            image: The batch, in [-1, 1].
        """
        return self.judge(image)[0]

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits of several batches of the same shape in one pass, see `forward`."""
        return _judge(self.layers, batches)


def patch_layers(
    in_channels: int, receptive_field: int, base_channels: int, norm: Norm, padding: int = 1
) -> nn.Sequential:
    """The layers of a PatchGAN, see `Patch`; every convolution has the padding."""
    halvings = HALVINGS[receptive_field]
    layers: list[nn.Module] = []
    channels = in_channels
    for level in range(halvings + 1):
        width = min(base_channels * 2**level, 8 * base_channels)
        stride = 2 if level < halvings else 1
        layers += _block(channels, width, "none" if level == 0 else norm, 4, stride, padding)
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=padding))


def apply_layer(layer: nn.Module, maps: Tensor, batches: int) -> Tensor:
    """Apply a layer to several batches at once, but batch norm to each batch on its own."""
    if batches > 1 and isinstance(layer, nn.BatchNorm2d):
        return torch.cat([layer(part) for part in maps.chunk(batches)])
    result: Tensor = layer(maps)
    return result


def _judge(layers: nn.Sequential, batches: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The logits of all batches, computed at once."""
    n = len(batches)
    maps = torch.cat(batches) if n > 1 else batches[0]
    for layer in layers:
        maps = apply_layer(layer, maps, n)
    return maps.chunk(n)


def _block(
    in_channels: int,
    out_channels: int,
    norm: Norm,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
) -> list[nn.Module]:
    """Convolution, norm, activation."""
    bias = needs_bias(norm)
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=bias),
        *norm_layers(norm, out_channels),
        nn.LeakyReLU(0.2, inplace=True),
    ]


def smallest_side(receptive_field: int) -> int:
    """The smallest image: 3 pixels remain after the halvings, and each stride-1 layer takes one."""
    return int(3 * 2 ** HALVINGS[receptive_field])


def _check_size(receptive_field: int, image_size: tuple[int, int]) -> None:
    side = smallest_side(receptive_field)
    if min(image_size) >= side:
        return
    fitting = [field for field in HALVINGS if smallest_side(field) <= min(image_size)]
    other = f'"patch" with receptive_field = {fitting[-1]}' if fitting else '"pixel"'
    height, width = image_size
    raise ValueError(
        f"a receptive field of {receptive_field} needs images of at least {side}x{side}, not "
        f"{size_text(image_size)}: set augment.crop_size to "
        f"{crop_size_text((max(height, side), max(width, side)))} or the discriminator's type to "
        f"{other}"
    )
