"""The recipe and the networks of the benchmarks, and i2i's trainer for them."""

from pathlib import Path

from i2i.methods.method import Method
from i2i.recipe import Recipe, load_recipe
from i2i.recipe.assemble import assemble_losses, assemble_method
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

RECIPE = Path(__file__).parents[1] / "recipes" / "pix2pix_facades.toml"


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


def method(recipe: Recipe) -> Method:
    """Build the method of a recipe with new weights."""
    return assemble_method(recipe, (3, 3), assemble_losses(recipe))


def trainer(recipe: Recipe, steps_per_epoch: int) -> Trainer:
    """Build the trainer as `i2i run` does."""
    return Trainer(recipe, Engine("cpu", recipe.train.precision), method(recipe), steps_per_epoch)
