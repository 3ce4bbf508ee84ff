"""Tables on the console."""

import sys

from rich.table import Table

from i2i.system.console import terminal

WIDTH_OF_PIPES = 200
"""Columns where nobody says how many there are, so that paths aren't broken."""


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal, or wide enough for paths where there is none."""
    width = None if sys.stdout.isatty() else WIDTH_OF_PIPES
    terminal(width=width).print(table)
