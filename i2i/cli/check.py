"""`i2i check`."""

from pathlib import Path

import click

from i2i.cli.options import recipe_argument, set_option


@click.command
@recipe_argument
@set_option
@click.option("--resolved", is_flag=True, help="Print the recipe with every default written out.")
def check(recipe: Path, overrides: tuple[str, ...], resolved: bool) -> None:
    """Check RECIPE without training: every mistake in it, or what it would build.

    Each mistake is one line with its path and the nearest right name; the exit status is then 2.
    """
    from i2i.recipe import load_recipe

    loaded = load_recipe(recipe, overrides)
    if resolved:
        click.echo(loaded.to_toml(), nl=False)
        return
    from i2i.recipe.inspection import inspect

    for line in inspect(loaded):
        click.echo(line)
