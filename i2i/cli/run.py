"""`i2i run`."""

from pathlib import Path

import click

from i2i.cli.options import recipe_argument, set_option


@click.command
@recipe_argument
@set_option
@click.option("--max-steps", type=click.IntRange(1), help="Short for --set train.max_steps=N.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: runs/NAME]"
)
@click.option("--resume", is_flag=True, help="Continue from the newest undamaged checkpoint.")
@click.option("--overwrite", is_flag=True, help="Replace an existing run and start again.")
@click.option("--quiet", is_flag=True, help="Print only errors.")
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
    """Train RECIPE, translate the test split, compute the metrics and write a report.

    All files go into one folder: the complete recipe, checkpoints, samples during training, the
    translated test images, their metrics and report.html. NAME is the recipe's name.

    Ctrl-C saves a checkpoint and stops. --resume continues a stopped or killed run, with the same
    result as a run that was never stopped.

    \b
    i2i run recipes/quickstart.toml
    i2i run recipes/quickstart.toml --set optimizer.lr=1e-4 --out runs/slow
    i2i run recipes/quickstart.toml --resume
    torchrun --nproc-per-node 2 -m i2i run RECIPE      several GPUs or processes
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
