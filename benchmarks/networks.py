"""The networks of the benchmarks, and i2i's trainer for them."""

from pathlib import Path
from typing import NamedTuple

from torch import nn

from i2i.recipe import Recipe, load_recipe
from i2i.recipe.assemble import (
    assemble_discriminators,
    assemble_generator,
    assemble_losses,
    assemble_method,
)
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

RECIPE = Path(__file__).parents[1] / "recipes" / "pix2pix_facades.toml"


class Networks(NamedTuple):
    """The generator, the discriminators and the losses."""

    generator: nn.Module
    discriminators: dict[str, nn.Module]
    losses: dict[str, nn.Module]


def paper_recipe(size: int = 256, batch: int = 1, base: int = 64, *overrides: str) -> Recipe:
    """The paper's recipe at another size, on a CPU.

    Args:
        size: Height and width of the images.
        batch: Pairs per step.
        base: The `base_channels` of both networks.
        overrides: Further changes, as for `--set`.
    """
    own = (
        "data.fallback=synthetic",
        f"augment.crop_size={size}",
        f"augment.load_size={size * 286 // 256}",
        f"generator.depth={size.bit_length() - 1}",
        f"generator.base_channels={base}",
        f"discriminator.base_channels={base}",
        f"train.batch_size={batch}",
        "train.device=cpu",
    )
    return load_recipe(RECIPE, (*own, *overrides))


def networks(recipe: Recipe) -> Networks:
    """Build the networks of a recipe with new weights."""
    losses = assemble_losses(recipe)
    discriminators = assemble_discriminators(recipe, losses, 3, 3)
    return Networks(assemble_generator(recipe, 3, 3), discriminators, losses)


def trainer(recipe: Recipe, steps_per_epoch: int) -> Trainer:
    """Build the trainer as `i2i run` does."""
    generator, discriminators, losses = networks(recipe)
    engine = Engine("cpu", recipe.train.precision)
    wrapped = {label: engine.wrap(network) for label, network in discriminators.items()}
    method = assemble_method(recipe, engine.wrap(generator), wrapped, losses)
    return Trainer(recipe, engine, method, steps_per_epoch)
