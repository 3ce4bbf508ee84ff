"""CUT's discriminator: a PatchGAN with blurred halvings."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge
from torch import Tensor, nn

from i2i_cut.blur import BlurDown
from i2i_cut.weights import init_weights

HALVINGS = {16: 1, 34: 2, 70: 3}
"""Number of halvings, by receptive field."""


class CutPatch(nn.Module):
    """The discriminator of Park et al. 2020, appendix C.1, and their code.

    The PatchGAN of Isola et al. 2017, but a convolution of stride 2 is one of stride 1 and a
    blurred halving. All convolutions but the first and the last have an instance norm without scale
    and bias. With a receptive field of 70 and 3 channels it has 2,764,737 parameters.

    Args:
        in_channels: Channels of the image.
        image_size: Height and width in pixels.
        receptive_field: Side in pixels of the patch that one logit of the PatchGAN with these
            layers sees; the blur adds a few pixels.
        base_channels: Channels after the first convolution; they double with every convolution.

    Raises:
        ValueError: If the image is too small for the layers.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"base_channels": 4}

    def __init__(
        self,
        in_channels: int,
        image_size: tuple[int, int],
        *,
        receptive_field: Literal[16, 34, 70] = 70,
        base_channels: Annotated[int, Ge(1)] = 64,
    ) -> None:
        super().__init__()
        halvings = HALVINGS[receptive_field]
        side = 3 * 2**halvings  # 3 pixels remain after the halvings; each later layer takes one
        if min(image_size) < side:
            raise ValueError(
                f"a receptive field of {receptive_field} needs images of at least {side}x{side}: "
                "set a larger augment.crop_size or a smaller discriminator.receptive_field"
            )
        layers: list[nn.Module] = []
        channels = in_channels
        for level in range(halvings + 1):
            width = base_channels * 2**level
            layers.append(nn.Conv2d(channels, width, 4, padding=1))
            if level > 0:
                layers.append(nn.InstanceNorm2d(width))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            if level < halvings:
                layers.append(BlurDown())
            channels = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=1))
        init_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Compute the logits of a batch `(N, in_channels, H, W)` in [-1, 1].

        Returns:
            Logits `(N, 1, h, w)`, one per patch; 30x30 for 256x256 pixels and a receptive field of
            70.
        """
        logits: Tensor = self.layers(image)
        return logits
