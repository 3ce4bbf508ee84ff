"""Arguments and options that several commands share."""

import math
from pathlib import Path
from typing import Any

import click


class Amount(click.FloatRange):
    """A positive number of megabytes or megapixels; infinite and unknown ones are refused."""

    def __init__(self) -> None:
        super().__init__(0, 1e6, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Convert text; refuse what is not a positive number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


recipe_argument = click.argument("recipe", type=click.Path(path_type=Path))

set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Change a key of the recipe; VALUE is TOML or plain text. Repeatable.",
)
