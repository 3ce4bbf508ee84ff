"""The difference of two images in the features of VGG16."""

from typing import Annotated

import torch
from annotated_types import Gt, Len
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.images.sizes import size_text
from i2i.nn.precision import full_precision
from i2i.nn.vgg import VGGFeatures

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's images in [0, 1], by channel."""


class VGG(nn.Module):
    """Weighted sum of the mean absolute differences of VGG16's activations.

    Johnson, Alahi and Fei-Fei 2016, section 3.2, in the form of Wang et al. 2018 (pix2pixHD),
    section 3.3 and the authors' code, whose layers and weights are the default. They use VGG19
    instead of VGG16. The network is frozen and computes in float32.

    Args:
        layers: Names of the activations, from `relu1_1` to `relu5_3`.
        weights: The weight of each layer.
        imagenet: Whether the images get ImageNet's mean and deviation first, as the network was
            trained. Wang et al. give it [-1, 1] as it is.

    Raises:
        ValueError: If a layer is unknown, or has no weight of its own.
        WeightsError: If the network's weights are unavailable.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        *,
        layers: Annotated[tuple[str, ...], Len(1)] = (
            "relu1_1",
            "relu2_1",
            "relu3_1",
            "relu4_1",
            "relu5_1",
        ),
        weights: Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)] = (
            1 / 32,
            1 / 16,
            1 / 8,
            1 / 4,
            1.0,
        ),
        imagenet: bool = False,
    ) -> None:
        super().__init__()
        if len(layers) != len(weights):
            raise ValueError(
                f"vgg has {len(layers)} layers and {len(weights)} weights: give each layer a weight"
            )
        self.network = VGGFeatures(layers)
        self.weights = weights
        mean, deviation = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
        self.register_buffer("scale", 0.5 / deviation if imagenet else torch.ones(3, 1, 1))
        self.register_buffer(
            "shift", (0.5 - mean) / deviation if imagenet else torch.zeros(3, 1, 1)
        )

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare two batches; the gradient flows through the output only.

        Args:
            output: `(N, 1 or 3, H, W)` in [-1, 1]; a gray image is expanded to three channels.
            target: The same shape and range.

        Returns:
            A scalar, at least 0.

        Raises:
            ValueError: If the number of channels is not 1 or 3, or the images are too small.
        """
        with full_precision(output.device.type):
            outputs = self._features(output)
            with torch.no_grad():
                targets = self._features(target)
            distances = [
                weight * F.l1_loss(ours, theirs)
                for weight, ours, theirs in zip(self.weights, outputs, targets, strict=True)
            ]
            return torch.stack(distances).sum()

    def _features(self, images: Tensor) -> list[Tensor]:
        if images.shape[1] not in (1, 3):
            raise ValueError(
                f"the loss vgg takes gray or RGB images, not {images.shape[1]} channels"
            )
        side = self.network.smallest_side
        height, width = images.shape[-2:]
        if min(height, width) < side:
            raise ValueError(
                f"the loss vgg with these layers needs images of at least "
                f"{size_text((side, side))}, not {size_text((height, width))}"
            )
        features: list[Tensor] = self.network(
            images.float().expand(-1, 3, -1, -1) * self.scale + self.shift
        )
        return features
