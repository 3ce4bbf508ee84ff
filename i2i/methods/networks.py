"""The interface through which a method builds its networks."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class NetworkFactory(Protocol):
    """Builds the networks that a recipe describes.

    The initial weights of a network depend only on the recipe's seed and the network's name, not on
    the order in which networks are built.

    Attributes:
        input_channels: Channels of the inputs.
        target_channels: Channels of the targets.
        image_size: Height and width of the training images.
    """

    input_channels: int
    target_channels: int
    image_size: tuple[int, int]

    def generator(
        self,
        name: str = "generator",
        in_channels: int | None = None,
        out_channels: int | None = None,
    ) -> nn.Module:
        """Build a generator as `[generator]` describes it.

        Args:
            name: The network's name in `Method.networks`.
            in_channels: Channels of its input; those of the inputs by default.
            out_channels: Channels of its output; those of the targets by default.
        """
        ...

    def discriminator(
        self, name: str, in_channels: int | None = None, *, loss: str | None = None
    ) -> nn.Module:
        """Build a discriminator.

        Args:
            name: The network's name in `Method.networks`.
            in_channels: Channels of the images that it judges; those of the targets by default.
            loss: Label of the loss whose `discriminator` key describes it; without the key or the
                label, `[discriminator]` does.
        """
        ...

    def build(self, name: str, network: Callable[[], Network]) -> Network:
        """Build a network of the method's own.

        Args:
            name: The network's name in `Method.networks`.
            network: Builds it; its random weights are seeded.
        """
        ...
