"""VGG16's features, with verified ImageNet weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from i2i.weights import load

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions, by block; each block but the first begins with a max pooling."""

LAYERS = tuple(f"relu{i}_{j}" for i, own in enumerate(BLOCKS, 1) for j in range(1, len(own) + 1))
"""The names of the activations, in their order: `relu1_1` to `relu5_3`."""


class VGGFeatures(nn.Module):
    """The activations of VGG16: Simonyan and Zisserman 2015, table 1, configuration D.

    Its parameters are frozen, and layers behind the last one asked for are not built. The names of
    the tensors are torchvision's.

    Args:
        layers: Names from `LAYERS`, in any order.

    Attributes:
        features: The layers of the network.
        smallest_side: The smallest height and width of an image; the poolings leave one pixel.

    Raises:
        ValueError: If a name is unknown.
        WeightsError: If the weights are unavailable.
    """

    def __init__(self, layers: Sequence[str]) -> None:
        super().__init__()
        if unknown := [name for name in layers if name not in LAYERS]:
            raise ValueError(f"VGG16 has no layer {unknown[0]!r}. Known: {', '.join(LAYERS)}")
        deepest = max(map(LAYERS.index, layers), default=-1)
        with torch.device("meta"):  # draws no random numbers
            built, self._names = _network(LAYERS[: deepest + 1])
        self.features = nn.Sequential(*built)
        tensors = load("vgg16").tensors
        own = {name: tensors[name] for name in self.state_dict()}
        self.load_state_dict(own, assign=True)
        self.requires_grad_(False)
        self.layers = tuple(layers)
        self.smallest_side = 2 ** sum(isinstance(layer, nn.MaxPool2d) for layer in built)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute the activations of the layers, in the order in which they were asked for.

        Args:
            images: `(N, 3, H, W)`. The weights were trained on images with ImageNet's mean and
                deviation removed.
        """
        found: dict[str, Tensor] = {}
        for name, layer in zip(self._names, self.features, strict=True):
            images = layer(images)
            found[name] = images
        return [found[name] for name in self.layers]


def _network(names: Sequence[str]) -> tuple[list[nn.Module], list[str]]:
    """The layers up to the last of these activations, and the name of each."""
    layers: list[nn.Module] = []
    labels: list[str] = []
    channels = 3
    for name in names:
        block, number = (int(digit) - 1 for digit in name.removeprefix("relu").split("_"))
        width = BLOCKS[block][number]
        if number == 0 and block > 0:
            layers.append(nn.MaxPool2d(2))
            labels.append(f"pool{block}")
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        labels += [name.replace("relu", "conv"), name]
        channels = width
    return layers, labels
