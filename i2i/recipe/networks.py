"""Building of a recipe's networks, each with initial weights of its own seed."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

import torch
from torch import nn

from i2i.errors import RecipeError
from i2i.methods.networks import Network
from i2i.plugins.build import build
from i2i.plugins.manager import registry
from i2i.randomness import Stream, derived_seed
from i2i.recipe.component import Component
from i2i.recipe.schema import Recipe

T = TypeVar("T")


class TooLarge(RecipeError):
    """A tensor has more bytes than 64 bits can count."""


@dataclass(frozen=True)
class RecipeNetworks:
    """The networks that a recipe describes, see `i2i.NetworkFactory`.

    Args:
        recipe: The recipe.
        input_channels: Channels of the inputs.
        target_channels: Channels of the targets.
    """

    recipe: Recipe
    input_channels: int
    target_channels: int

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the training images."""
        return self.recipe.augment.crop

    def generator(
        self,
        name: str = "generator",
        in_channels: int | None = None,
        out_channels: int | None = None,
        *,
        trained: bool = False,
    ) -> nn.Module:
        """Build the recipe's generator, see `NetworkFactory.generator`.

        Args:
            name: The network's name, which seeds its weights.
            in_channels: Channels of its input; those of the inputs by default.
            out_channels: Channels of its output; those of the targets by default.
            trained: True if the caller replaces the weights by trained ones. The option
                `pretrained` is then turned off, so that no weights are downloaded.
        """
        section = self.recipe.generator
        if trained and "pretrained" in section.options:
            section = section.model_copy(update={"pretrained": False})
        return self._component(
            name,
            section,
            in_channels=self.input_channels if in_channels is None else in_channels,
            out_channels=self.target_channels if out_channels is None else out_channels,
        )

    def discriminator(
        self, name: str, in_channels: int | None = None, *, loss: str | None = None
    ) -> nn.Module:
        """Build a discriminator of the recipe, see `NetworkFactory.discriminator`."""
        sections = dict(zip(self.recipe.loss_labels, self.recipe.losses, strict=True))
        if loss is not None and loss not in sections:
            raise ValueError(f"no loss has the label '{loss}', only {', '.join(sections)}")
        own = sections[loss].discriminator if loss is not None else None
        return self._component(
            name,
            own or self.recipe.discriminator,
            in_channels=self.target_channels if in_channels is None else in_channels,
        )

    def build(self, name: str, network: Callable[[], Network]) -> Network:
        """Build a network of the method's own, see `NetworkFactory.build`."""
        torch.default_generator.manual_seed(self._seed(name))
        return sized(name, network)

    def _component(self, name: str, section: Component, **channels: int) -> nn.Module:
        entry = registry().get(section.kind, section.type)

        def network() -> nn.Module:
            built: nn.Module = build(entry, section.options, image_size=self.image_size, **channels)
            return built

        return self.build(name, network)

    def _seed(self, name: str) -> int:
        """The seed of a network's weights; Pix2Pix's networks have those of version 0.1."""
        first = ["generator", *(f"discriminator.{label}" for label in self.recipe.loss_labels)]
        if name in first:
            key = first.index(name)
        else:
            key = int.from_bytes(sha256(name.encode()).digest()[:8])
        return derived_seed(Stream.WEIGHTS, self.recipe.seed, key)


def sized(what: str, make: Callable[[], T]) -> T:
    """Make something whose size in bytes may have more than 64 bits.

    Args:
        what: What is made, for the message.
        make: Makes it.

    Raises:
        TooLarge: If it has.
    """
    try:
        return make()
    except (RuntimeError, OverflowError, TypeError) as error:
        if "overflow" not in str(error).lower():
            raise
        raise TooLarge(
            [f"{what}: needs more than 8 EiB of memory for one tensor; choose smaller numbers"]
        ) from error
