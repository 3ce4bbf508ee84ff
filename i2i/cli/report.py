"""`i2i report`."""

from pathlib import Path

import click


@click.command
@click.argument("run", type=click.Path(path_type=Path))
def report(run: Path) -> None:
    """Write report.html of the folder RUN again, from what lies in it.

    It works on a run that is still going on, too.
    """
    from i2i.report import write_report
    from i2i.run_folder import RunFolder

    click.echo(write_report(RunFolder(run)))
