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


model_option = click.option(
    "--model",
    "name",
    default="generator",
    metavar="NAME",
    help="Which model, if the method keeps several.  [default: the one from inputs to targets]",
)


def _check_range(
    ctx: click.Context, parameter: click.Parameter, value: tuple[float, float] | None
) -> tuple[float, float] | None:
    if value is not None and (value[0] == value[1] or not all(map(math.isfinite, value))):
        raise click.BadParameter("black and white must be two different numbers", ctx, parameter)
    return value


float_range_option = click.option(
    "--float-range",
    nargs=2,
    type=float,
    metavar="BLACK WHITE",
    callback=_check_range,
    help="The values of black and white in images of floats or 32-bit integers.",
)
