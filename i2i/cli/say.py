"""Prints what a command has to say. Nothing else in `cli/` writes to the console."""

import sys
from typing import Any

import click

from i2i.system.text import document, printable


def say(*lines: object, err: bool = False, **style: Any) -> None:
    """Print lines that can't control the terminal.

    Args:
        lines: The lines; line breaks within one are part of a name and are escaped.
        err: Whether to print to standard error.
        style: Of all lines, as `click.style` takes it.
    """
    for line in lines:
        # Without `file`, click would write UTF-8 to a console that takes ASCII.
        click.secho(printable(str(line)), file=sys.stderr if err else sys.stdout, **style)


def say_document(text: str) -> None:
    """Print JSON or TOML so that programs read the same from it, whatever the encoding."""
    click.echo(document(text, sys.stdout.encoding), file=sys.stdout, nl=False)
