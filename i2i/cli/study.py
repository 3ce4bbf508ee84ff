"""`i2i study`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from i2i.cli.options import set_option
from i2i.cli.say import say

if TYPE_CHECKING:
    from i2i.studies.plan import Job


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="VARIANT", help="Run only this variant. Repeatable.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Runs at the same time; each gets its own device, or its share of the CPU cores.",
)
@set_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the study.  [default: studies/NAME]"
)
@click.option(
    "--reuse",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of another study: copy its records of the same recipes. Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Show the runs and their states; write nothing.")
@click.option("--page", is_flag=True, help="Write the page with the finished runs; run nothing.")
@click.option("--overwrite", is_flag=True, help="Replace runs that were made with another recipe.")
@click.option("--quiet", is_flag=True, help="Print only errors.")
@click.pass_context
def study(
    ctx: click.Context,
    file: Path,
    only: tuple[str, ...],
    jobs: int,
    overrides: tuple[str, ...],
    out: Path | None,
    reuse: tuple[Path, ...],
    dry_run: bool,
    page: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Train the variants in FILE, measure them in the same way and compare them on one page.

    FILE names a base recipe, variants of it, seeds and metrics; recipes/studies/ has the ablations
    of the Pix2Pix paper. Every variant is trained with every seed, each as a run of its own.

    The same command continues a study after Ctrl-C, a kill or a power cut: finished runs are not
    repeated, unfinished runs are resumed. The results of each run are stored for good in records/;
    study.html, study.md and study.json are made from these records alone.

    \b
    i2i study recipes/studies/smoke.toml                     two variants, in minutes
    i2i study recipes/studies/losses_cpu.toml --dry-run      shows what is left to do
    i2i study recipes/studies/losses_cpu.toml --jobs 2
    i2i study recipes/studies/losses_cpu.toml --only L1 --only L1+cGAN
    i2i study recipes/studies/generators_cpu.toml --reuse studies/losses_cpu
    """
    from i2i.studies.study import planned, write_page
    from i2i.studies.study import study as do_study

    if page and (only or reuse or overwrite or dry_run):
        raise click.UsageError(
            "--page shows all that is done and runs nothing: leave out --only, --reuse, "
            "--overwrite and --dry-run"
        )
    if dry_run:
        _show(
            planned(file, only=only, overrides=overrides, out=out, reuse=reuse, overwrite=overwrite)
        )
        return
    if page:
        say(write_page(file, overrides=overrides, out=out).page)
        return
    done = do_study(
        file,
        only=only,
        overrides=overrides,
        jobs=jobs,
        out=out,
        reuse=reuse,
        overwrite=overwrite,
        quiet=quiet,
    )
    for name, why in done.failed.items():
        first, *others = why.split("\n")
        say(f"failed: {name}: {first}", *others, err=True)
    ctx.exit(done.status)


def _show(jobs: "list[Job]") -> None:
    from rich.table import Table

    from i2i.cli.tables import print_table

    table = Table("run", "state", "updates left", box=None, pad_edge=False)
    for job in jobs:
        done = f"done: {job.elsewhere}" if job.elsewhere else "done"
        state = {"done": done, "new": "to run", "resume": f"to resume from step {job.step:,}"}
        left = 0 if job.state == "done" else job.total - job.step
        table.add_row(job.name, state[job.state], f"{left:,}")
    print_table(table)
