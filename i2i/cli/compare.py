"""`i2i compare`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from i2i.cli.say import say, say_document

if TYPE_CHECKING:
    from i2i.evaluation.compare import Comparison


@click.command
@click.argument("targets", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--despite",
    multiple=True,
    metavar="KEY",
    help="Ignore differences in this part of fingerprints, such as versions. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(targets: tuple[Path, ...], despite: tuple[str, ...], as_json: bool) -> None:
    """Compare the results of TARGETS: runs, measured folders or metrics.json files.

    Prints the metrics that all of them have, the best values in green. Values are comparable only
    if they were measured in the same way, so different fingerprints are an error: for example other
    weights, another resize, other target images or another number of images. The error lists the
    differences; --despite ignores one.

    \b
    i2i compare runs/a runs/b
    i2i compare runs/a runs/b --despite versions
    """
    from i2i.evaluation.compare import compare as compare_results
    from i2i.system.json_file import json_text

    if len(targets) < 2:
        raise click.UsageError("name at least two runs, folders or metrics.json files")
    found = compare_results(targets, despite)
    if as_json:
        document = {"names": found.names, "metrics": found.rows}
        say_document(json_text(document, indent=2) + "\n")
    else:
        _show(found)


def _show(found: "Comparison") -> None:
    from rich.table import Table
    from rich.text import Text

    from i2i.cli.tables import print_table
    from i2i.evaluation.results import counted, number

    arrows = {label: "↑" if r[0]["higher_is_better"] else "↓" for label, r in found.rows.items()}
    headings = [f"{label} {arrow}" for label, arrow in arrows.items()]
    table = Table("", *headings, box=None, pad_edge=False)
    for i, name in enumerate(found.names):
        cells = [
            Text(number(rows[i]), style="bold green" if i in found.best[label] else "")
            for label, rows in found.rows.items()
        ]
        table.add_row(name, *cells)
    table.add_row("images", *(counted(rows[0]) for rows in found.rows.values()), style="dim")
    print_table(table)
    for words in found.differing:
        say(f"ignored difference: {words}", err=True)
