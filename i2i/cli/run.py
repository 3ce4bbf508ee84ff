"""`i2i run`."""

from pathlib import Path

import click

from i2i.cli.options import recipe_argument, set_option


@click.command
@recipe_argument
@set_option
@click.option("--max-steps", type=click.IntRange(1), help="Short for --set train.max_steps=N.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder  [runs/NAME].")
@click.option("--resume", is_flag=True, help="Go on from the newest whole checkpoint.")
@click.option("--overwrite", is_flag=True, help="Begin again where a run is already.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@click.pass_context
def run(
    ctx: click.Context,
    recipe: Path,
    overrides: tuple[str, ...],
    max_steps: int | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Train what RECIPE says, translate the test split, measure it and write a report.

    Everything lands in one folder: the resolved recipe, checkpoints, samples over time, the
    translated test images and report.html. A run that was stopped or killed goes on with --resume
    as if nothing had happened. Several processes are started with torchrun:

    \b
    torchrun --nproc-per-node 2 -m i2i run RECIPE
    """
    from i2i.recipe import load_recipe
    from i2i.runs.run import run as run_recipe
    from i2i.system.devices import choose_device
    from i2i.system.memory import keep_freed_memory

    if max_steps is not None:
        overrides = (*overrides, f"train.max_steps={max_steps}")
    loaded = load_recipe(recipe, overrides)
    keep_freed_memory(choose_device(loaded.train.device))
    finished = run_recipe(loaded, out=out, resume=resume, overwrite=overwrite, quiet=quiet)
    ctx.exit(finished.status)
