"""`i2i export`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from i2i.exporting import Exported


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "format",
    type=click.Choice(["onnx", "torch"]),
    required=True,
    help="ONNX, or torch.export's file.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The file  [NAME.onnx, NAME.int8.onnx or NAME.pt2 in this folder]",
)
@click.option(
    "--statistics",
    type=click.Choice(["per_image", "running"]),
    help="Batch norm's: the image's own, or the training's  [as the recipe's [test] says]",
)
@click.option(
    "--dropout/--no-dropout",
    default=None,
    help="Keep the noise on  [as the recipe's [test] says]",
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Which of the many translations that the noise makes possible.",
)
@click.option("--int8", is_flag=True, help="Quantise an ONNX file; the loss is measured.")
@click.option("--opset", type=click.IntRange(7), help="ONNX's operator set  [18]")
@click.option(
    "--images",
    multiple=True,
    metavar="PATH",
    help="Check on these images, folders or patterns instead of the test split; may be given "
    "again.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def export(
    model: Path,
    format: Literal["onnx", "torch"],
    out: Path | None,
    statistics: Literal["per_image", "running"] | None,
    dropout: bool | None,
    sample: int,
    int8: bool,
    opset: int | None,
    images: tuple[str, ...],
    overwrite: bool,
) -> None:
    """Export MODEL (a run, a checkpoint, or a lone model.safetensors) to a file that needs no i2i.

    The file takes any number of images of any size, in multiples of what the network needs, and
    says in its metadata how to prepare them. It is checked against PyTorch on real images before
    it is written: a difference above 1e-4 is an error.

    \b
    i2i export runs/facades --to onnx
    i2i export runs/facades --to onnx --int8 --images labels/
    i2i export runs/facades --to torch --statistics running --no-dropout
    """
    if format == "torch" and (int8 or opset is not None):
        raise click.UsageError("--int8 and --opset are for --to onnx")
    from i2i.cli.loading import load_model
    from i2i.exporting import OPSET, export_onnx, export_torch

    loaded = load_model(model, "cpu")
    settings = loaded.settings(sample)
    if statistics is not None:
        settings = replace(settings, statistics=statistics)
    if dropout is not None:
        settings = replace(settings, dropout=dropout)
    if format == "torch":
        done = export_torch(
            loaded,
            out or Path(f"{loaded.recipe.name}.pt2"),
            settings=settings,
            images=images,
            overwrite=overwrite,
        )
    else:
        done = export_onnx(
            loaded,
            out or Path(f"{loaded.recipe.name}{'.int8' if int8 else ''}.onnx"),
            settings=settings,
            opset=opset or OPSET,
            int8=int8,
            images=images,
            overwrite=overwrite,
        )
    _show(done)


def _show(done: "Exported") -> None:
    from i2i.images.sizes import size_text

    if done.fixed is not None:
        click.echo(f"this network is for one size: the file takes {size_text(done.fixed)} only")
    sizes = ", ".join(map(size_text, done.sizes))
    checked_on = f"checked on {done.images}, "
    if done.instead is not None:
        click.echo(f"{checked_on}as the recipe's data can't be had: {done.instead}")
        checked_on = ""
    click.echo(
        f"{checked_on}at {sizes}: values in [-1, 1] differ from PyTorch's by "
        f"{done.difference:.1e} at most"
    )
    if done.quantised is not None:
        loss = done.quantised
        against = ""
        if loss.to_target is not None:
            against = f"; l1 to the targets {loss.to_target:.4f}, was {loss.float_to_target:.4f}"
        click.echo(
            f"int8: {_megabytes(loss.float_bytes)} became {_megabytes(done.bytes)}; l1 to the "
            f"outputs without it {loss.loss:.4f}{against}"
        )
    click.echo(f"written to {done.path} ({_megabytes(done.bytes)})")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
