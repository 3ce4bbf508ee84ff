"""A U-Net with any timm network as encoder."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import timm
import torch
from annotated_types import Ge, Interval
from torch import Tensor, nn

from i2i.images.sizes import crop_size_text, next_multiple, size_text
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers
from i2i.weights.timm import timm_model


class TimmUNet(nn.Module):
    """A U-Net whose encoder is any timm network that returns its feature maps.

    Each decoder block upsamples (nearest neighbour) to the next larger resolution of the encoder,
    and at the end to full resolution. It appends the encoder's feature map of that size, if there
    is one, and applies a 3x3 convolution. A last convolution and tanh compute the image. After
    Ronneberger et al. 2015 (U-Net), figure 1, with the resize-convolutions of Odena et al. 2016.
    The encoder is pretrained or has timm's initial weights; the decoder has those of Pix2Pix.
    Dropout is the noise, as in Isola et al. 2017, section 3.1.

    If the innermost map is 1x1 (such as with resnet34 and 32x32 images), the encoder's batch norm
    can't be trained with a batch of one image.

    Args:
        in_channels: Channels of the input image.
        out_channels: Channels of the output image.
        image_size: Height and width in pixels, multiples of the encoder's reduction (often 32).
        encoder: A name from `timm.list_models()`.
        pretrained: Start from the encoder's ImageNet weights: verified ones for
            `tf_efficientnet_lite0`, timm's own download for other encoders.
        base_channels: Channels of the decoder at full resolution; they double with every halving of
            the resolution, up to 8 times as many.
        norm: Norm after the decoder's convolutions, except the last; the encoder keeps its norms.
        dropout: Probability of setting a value to zero, in [0, 1).
        dropout_layers: Number of decoder blocks with dropout, from the innermost on.

    Attributes:
        size_divisor: Height and width of images must be multiples of it: the encoder's reduction.

    Raises:
        ValueError: If the encoder is unknown or returns no feature maps, or the image size is not a
            multiple of its reduction.
        WeightsError: If the pretrained weights are unavailable.
    """

    example_options: ClassVar[Mapping[str, Any]] = {"encoder": "resnet10t", "base_channels": 4}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        image_size: tuple[int, int],
        *,
        encoder: str = "resnet34",
        pretrained: bool = False,
        base_channels: Annotated[int, Ge(1)] = 32,
        norm: Norm = "batch",
        dropout: Annotated[float, Interval(ge=0.0, lt=1.0)] = 0.5,
        dropout_layers: Annotated[int, Ge(0)] = 3,
    ) -> None:
        super().__init__()
        self.encoder = _make_encoder(encoder, in_channels, image_size, pretrained)
        info: Any = self.encoder.feature_info
        channels: list[int] = info.channels()
        reductions: list[int] = info.reduction()
        # Transformers with windows return (N, H, W, C).
        self._channels_last = str(getattr(self.encoder, "output_fmt", "")).endswith("NHWC")
        self.size_divisor = reductions[-1]
        _check_size(encoder, self.size_divisor, image_size)
        self._check_maps(encoder, reductions, torch.zeros(1, in_channels, *image_size))

        seen, scale = channels.pop(), reductions.pop()
        blocks: list[nn.Module] = []
        while reductions or scale > 1:
            skip = channels.pop() if channels else 0
            target = reductions.pop() if reductions else scale // 2 if scale % 2 == 0 else 1
            width = min(base_channels * target, 8 * base_channels)
            rate = dropout if len(blocks) < dropout_layers else 0.0
            blocks.append(_Up(seen, skip, width, scale=scale // target, norm=norm, dropout=rate))
            seen, scale = width, target
        self.decoder = nn.ModuleList(blocks)
        self.head = nn.Conv2d(seen, out_channels, 3, padding=1)
        init_weights(self.decoder)
        init_weights(self.head)

    def forward(self, image: Tensor) -> Tensor:
        """Translate `(N, in_channels, H, W)` in [-1, 1] to `(N, out_channels, H, W)` in [-1, 1].

        Args:
            image: A batch of any height and width that are multiples of the encoder's reduction.
        """
        return torch.tanh(self.raw(image))

    def raw(self, image: Tensor) -> Tensor:
        """The values `(N, out_channels, H, W)` before tanh, for an image as in `forward`."""
        skips = self._encode(image)
        features = skips.pop()
        for up in self.decoder:
            features = up(features, skips.pop() if skips else None)
        values: Tensor = self.head(features)
        return values

    def _encode(self, image: Tensor) -> list[Tensor]:
        """The encoder's feature maps `(N, C, h, w)`, outermost first."""
        maps = self.encoder(image)
        return [each.permute(0, 3, 1, 2) if self._channels_last else each for each in maps]

    @torch.no_grad()
    def _check_maps(self, encoder: str, reductions: list[int], image: Tensor) -> None:
        """Run the encoder once, because a few return maps of other sizes than timm states."""
        self.encoder.eval()
        try:
            found = [tuple(each.shape[-2:]) for each in self._encode(image)]
        except (RuntimeError, ValueError, AssertionError) as error:
            raise _unusable(encoder, image.shape[-2:], str(error)) from error
        self.encoder.train()
        height, width = image.shape[-2:]
        if found != [(height // each, width // each) for each in reductions]:
            raise _unusable(encoder, image.shape[-2:], f"its feature maps have the sizes {found}")


class _Up(nn.Module):
    """A decoder block: resize, append the skip, convolve."""

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        *,
        scale: int,
        norm: Norm,
        dropout: float,
    ) -> None:
        super().__init__()
        self.resize = nn.Upsample(scale_factor=scale, mode="nearest")
        self.convolve = nn.Sequential(
            nn.Conv2d(
                in_channels + skip_channels, out_channels, 3, padding=1, bias=needs_bias(norm)
            ),
            *norm_layers(norm, out_channels),
            nn.ReLU(inplace=True),
            *([nn.Dropout(dropout)] if dropout else []),
        )

    def forward(self, features: Tensor, skip: Tensor | None) -> Tensor:
        features = self.resize(features)
        if skip is not None:
            features = torch.cat([features, skip], dim=1)
        return self.convolve(features)  # type: ignore[no-any-return]


def _make_encoder(
    name: str, in_channels: int, image_size: tuple[int, int], pretrained: bool
) -> nn.Module:
    """Build the encoder with timm."""
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models())
        hint = f", did you mean {' or '.join(map(repr, near))}?" if near else ":"
        raise ValueError(f"unknown encoder {name!r}{hint} timm.list_models() returns all names")
    try:
        config = timm.get_pretrained_cfg(name)
        # Transformers with a fixed grid need img_size; other networks don't accept it.
        sized: dict[str, Any] = (
            {"img_size": image_size} if config and config.fixed_input_size else {}
        )
        return timm_model(
            name, pretrained=pretrained, features_only=True, in_chans=in_channels, **sized
        )
    except (RuntimeError, ValueError, AttributeError, TypeError, AssertionError) as error:
        raise _unusable(name, image_size, str(error)) from error


def _unusable(encoder: str, image_size: Sequence[int], why: str) -> ValueError:
    height, width = image_size
    return ValueError(
        f"timm's {encoder!r} can't be the encoder for images of {size_text((height, width))} "
        f'({why}): set generator.encoder to another one, such as "resnet34"'
    )


def _check_size(encoder: str, reduction: int, image_size: tuple[int, int]) -> None:
    needed = next_multiple(image_size, reduction)
    if needed != image_size:
        raise ValueError(
            f"encoder {encoder!r} reduces the image {reduction} times and needs height and width "
            f"to be multiples of {reduction}, not {size_text(image_size)}: "
            f"set augment.crop_size to {crop_size_text(needed)}"
        )
