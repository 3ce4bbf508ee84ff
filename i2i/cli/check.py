"""`i2i check`."""

from pathlib import Path

import click

from i2i.cli.options import recipe_argument, set_option
from i2i.cli.say import say, say_document


@click.command
@recipe_argument
@set_option
@click.option(
    "--resolved", is_flag=True, help="Print the complete recipe with all defaults instead."
)
def check(recipe: Path, overrides: tuple[str, ...], resolved: bool) -> None:
    """Check RECIPE without training, and show the networks that it builds.

    Prints the parameters, input shape and output shape of each network, and the sum of losses. If
    the recipe has mistakes, prints each on one line with its key and the nearest valid name; the
    exit status is then 2.

    \b
    i2i check recipes/pix2pix_facades.toml
    i2i check my.toml --set generator.depth=7
    i2i check my.toml --resolved > complete.toml
    """
    from i2i.recipe import load_recipe

    loaded = load_recipe(recipe, overrides)
    if resolved:
        say_document(loaded.to_toml())
        return
    from i2i.recipe.inspection import inspect

    say(*inspect(loaded))
