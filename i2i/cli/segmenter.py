"""`i2i segmenter`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from i2i.cli.options import set_option
from i2i.cli.say import say

if TYPE_CHECKING:
    from i2i.recipe.segmenter_schema import SegmenterRecipe


@click.group
def segmenter() -> None:
    """Train the segmentation network that the metric seg_score uses.

    The network learns to segment real photos, for example into windows and doors. seg_score applies
    it to translated photos and compares its result with their label maps. Train the network once
    for each data set; metrics then find it by name:

    \b
    i2i segmenter train facades
    i2i run recipes/pix2pix_facades.toml --set 'eval.metrics=["l1", "seg_score"]'
    """


@segmenter.command
@click.argument("dataset")
@set_option
@click.option("--epochs", type=click.IntRange(1), help="Short for --set segmenter.epochs=N.")
@click.option("--name", help="Name of the network in seg_score.  [default: the data set's type]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write the network to this file instead of the cache.",
)
@click.option("--quiet", is_flag=True, help="Print only errors.")
def train(
    dataset: str,
    overrides: tuple[str, ...],
    epochs: int | None,
    name: str | None,
    out: Path | None,
    quiet: bool,
) -> None:
    """Train a network on the photos and label maps of DATASET.

    It learns from the training split, and its scores on the validation split are printed.

    DATASET is the name of a data set, a folder with the facades data set, or a recipe; of a recipe,
    only [data], [augment] and [segmenter] are used. The network is stored in the cache folder under
    its name ('i2i doctor' shows the folder), or in the file --out.

    \b
    i2i segmenter train facades
    i2i segmenter train ../shared/facades
    i2i segmenter train my.toml --name streets --set segmenter.labels=input
    """
    recipe = _recipe(dataset, (*overrides, *([f"segmenter.epochs={epochs}"] if epochs else [])))
    from i2i.segmentation.network import is_segmenter, kept_at, save_segmenter
    from i2i.system.devices import choose_device
    from i2i.system.memory import keep_freed_memory
    from i2i.system.output_file import check_free, held
    from i2i.training.segmenter import train_segmenter

    name = name or recipe.data.type
    _check_name(name)
    path = out or kept_at(name)
    if path.is_file() and not is_segmenter(path):
        raise click.BadParameter(
            f"{path} exists and is no segmenter: choose another file", param_hint="--out"
        )
    check_free(path, overwrite=True)
    keep_freed_memory(choose_device(recipe.train.device))
    with held(path):
        trained = train_segmenter(recipe, (lambda _: None) if quiet else say)
        save_segmenter(trained, path)
    if not quiet:
        say(f"written to {path}")
        say(f"use it as the metric seg_score:segmenter={out or name}")


def _recipe(dataset: str, overrides: tuple[str, ...]) -> "SegmenterRecipe":
    """Read the recipe from a file, or make a minimal one for a data set.

    Raises:
        RecipeError: If the recipe is invalid, or neither a file nor a data set has this name.
    """
    from i2i.errors import RecipeError
    from i2i.plugins.manager import registry
    from i2i.recipe import load_recipe, parse_recipe
    from i2i.recipe.segmenter_schema import SegmenterRecipe

    if dataset.endswith(".toml") or Path(dataset).is_file():
        return load_recipe(dataset, overrides, SegmenterRecipe)
    data = {"type": dataset}
    if Path(dataset).is_dir():
        data = {"type": "facades", "root": dataset}
    elif dataset not in registry().names("dataset"):
        raise RecipeError([f"{dataset}: is no file; {registry().unknown('dataset', dataset)}"])
    small = {
        "name": data["type"],
        "data": data,
        "augment": {"flip": True},
        "losses": [{"type": "l1"}],
    }
    return parse_recipe(small, overrides, source=dataset, model=SegmenterRecipe)


def _check_name(name: str) -> None:
    if not name.replace("-", "").replace("_", "").isalnum():
        raise click.BadParameter(
            f"'{name}' is no name: use letters, digits, '-' and '_', or --out for a file",
            param_hint="--name",
        )
