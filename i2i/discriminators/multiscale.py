"""A discriminator for each of several sizes of an image."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Interval
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.discriminators.patch import apply_layer, patch_layers, smallest_side
from i2i.images.sizes import crop_size_text, size_text
from i2i.nn.layers import Norm, init_weights


class Multiscale(nn.Module):
    """PatchGANs that judge an image at several sizes: Wang et al. 2018 (pix2pixHD), section 3.2.

    Each scale has a network of its own with the layers of `Patch`, but padding 2 as in the authors'
    code. Their defaults: 4x4 convolutions, three of them of stride 2, and instance norm without
    parameters. From scale to scale, the image is halved by average pooling.

    Args:
        in_channels: Channels of the image, plus those of the input for a conditional loss.
        image_size: Height and width in pixels.
        scales: Number of sizes. The authors use 2, and 3 for images of 1024 pixels and more.
        receptive_field: Side in pixels of the patch that one logit sees, in the image of its scale.
        base_channels: Channels after the first convolution; they double with every convolution, up
            to 8 times as many.
        norm: Norm after the convolutions between the first and the last.

    Raises:
        ValueError: If the image is too small for the layers at one of the scales.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"base_channels": 4, "receptive_field": 34}

    def __init__(
        self,
        in_channels: int,
        image_size: tuple[int, int],
        *,
        scales: Annotated[int, Interval(ge=1, le=8)] = 2,
        receptive_field: Literal[16, 34, 70, 142, 286] = 70,
        base_channels: Annotated[int, Ge(1)] = 64,
        norm: Norm = "plain_instance",
    ) -> None:
        super().__init__()
        _check_sizes(scales, receptive_field, image_size)
        self.networks = nn.ModuleList(
            patch_layers(in_channels, receptive_field, base_channels, norm, padding=2)
            for _ in range(scales)
        )
        init_weights(self)

    def forward(self, image: Tensor) -> list[list[Tensor]]:
        """Judge a batch `(N, in_channels, H, W)` in [-1, 1].

        Returns:
            For each scale, from the largest image to the smallest: the results of all activations
            `(N, C, h, w)`, and as the last one logits `(N, 1, h, w)`.
        """
        return self.judge(image)[0]

    def judge(self, *batches: Tensor) -> tuple[list[list[Tensor]], ...]:
        """Judge several batches of the same shape in one pass, see `forward`."""
        n = len(batches)
        images = torch.cat(batches) if n > 1 else batches[0]
        judged: list[list[list[Tensor]]] = [[] for _ in batches]
        for scale, layers in enumerate(self.networks):
            if scale:
                images = F.avg_pool2d(images, 3, 2, padding=1, count_include_pad=False)
            parts = [maps.chunk(n) for maps in _maps(layers, images, n)]
            for own, each in zip(judged, zip(*parts, strict=True), strict=True):
                own.append(list(each))
        return tuple(judged)


def _maps(layers: nn.Module, maps: Tensor, batches: int) -> list[Tensor]:
    """The results of all activations of a network, and of its last layer."""
    found = []
    for layer in layers.children():
        maps = apply_layer(layer, maps, batches)
        if isinstance(layer, nn.LeakyReLU):
            found.append(maps)
    return [*found, maps]


def _check_sizes(scales: int, receptive_field: int, image_size: tuple[int, int]) -> None:
    """Raise ValueError if the smallest of the images is too small for a PatchGAN."""
    needed = smallest_side(receptive_field)
    smallest = image_size
    for _ in range(scales - 1):  # average pooling rounds up
        smallest = (smallest[0] + 1) // 2, (smallest[1] + 1) // 2
    if min(smallest) >= needed:
        return
    side = needed * 2 ** (scales - 1)
    height, width = image_size
    raise ValueError(
        f"scale {scales} of {scales} judges {size_text(smallest)} pixels of images of "
        f"{size_text(image_size)}, and a receptive field of {receptive_field} needs at least "
        f"{size_text((needed, needed))}: set augment.crop_size to "
        f"{crop_size_text((max(height, side), max(width, side)))}, or the discriminator's scales "
        "or receptive_field to a smaller number"
    )
