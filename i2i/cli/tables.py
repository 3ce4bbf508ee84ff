"""Tables on the console."""

import sys

from rich.table import Table

from i2i.system.console import terminal

WIDTH_OF_PIPES = 200
"""Columns of a table that isn't printed to a terminal; wide enough to keep paths on one line."""


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or `WIDTH_OF_PIPES` wide if there is none."""
    width = None if sys.stdout.isatty() else WIDTH_OF_PIPES
    terminal(width=width).print(table)
