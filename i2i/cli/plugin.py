"""`i2i plugin`."""

import shlex
from pathlib import Path

import click

from i2i.cli.say import say
from i2i.plugins.registry import KINDS


@click.group
def plugin() -> None:
    """Write a plugin of your own."""


@plugin.command
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default="generator",
    show_default=True,
    help="What the plugin registers.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIRECTORY",
    help="Folder of the package, new or empty.  [default: i2i-NAME]",
)
def new(name: str, kind: str, out: Path | None) -> None:
    """Write a package with a component NAME that works as it is, for you to change.

    The package can be installed with pip. It has a recipe that trains with the component in
    seconds, tests, and a workflow for GitHub that checks all of it. The commands to go on with are
    printed.

    \b
    i2i plugin new sharpen
    i2i plugin new my-loss --kind loss
    """
    from i2i.plugins.new import write_package

    folder = write_package(name, kind, out)
    say(
        f"wrote the {kind} into {folder}. Next:",
        "",
        f"  cd {shlex.quote(str(folder))}",
        '  pip install -e ".[dev]"',
        "  i2i run recipe.toml",
        "  pytest",
    )
