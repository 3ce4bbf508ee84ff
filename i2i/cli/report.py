"""`i2i report`."""

from pathlib import Path

import click

from i2i.cli.say import say


@click.command
@click.argument("run", type=click.Path(path_type=Path))
def report(run: Path) -> None:
    """Write the report.html of RUN again from the files in its folder, and print its path.

    This also works while the run is still training.

    \b
    i2i report runs/facades
    """
    from i2i.report import write_report
    from i2i.run_folder import RunFolder

    say(write_report(RunFolder(run)))
