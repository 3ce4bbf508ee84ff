"""`i2i report`."""

from pathlib import Path

import click


@click.command
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this file; the run itself is only read.",
)
def report(run: Path, out: Path | None) -> None:
    """Write the report.html of RUN again from the files in its folder, and print its path.

    With --out this also works while the run is still training, and in a run that can't be written
    to.

    \b
    i2i report runs/facades
    i2i report runs/facades --out today.html
    """
    from i2i.report import write_report
    from i2i.run_folder import RunFolder
    from i2i.runs.holding import holding

    folder = RunFolder(run)
    if out is not None:
        click.echo(write_report(folder, out))
        return
    folder.check()
    with holding(folder):
        click.echo(write_report(folder))
