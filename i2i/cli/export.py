"""`i2i export`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from i2i.cli.options import model_option
from i2i.cli.say import say

if TYPE_CHECKING:
    from i2i.exporting import Exported


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "format",
    type=click.Choice(["onnx", "torch"]),
    required=True,
    help="Format: ONNX, or the .pt2 file of torch.export.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write.  [default: NAME.onnx, NAME.int8.onnx or NAME.pt2 in this folder]",
)
@click.option(
    "--statistics",
    type=click.Choice(["per_image", "running"]),
    help="Batch norm statistics: of each image, or the running ones of the training.  "
    "[default: test.statistics of the recipe]",
)
@click.option(
    "--dropout/--no-dropout",
    default=None,
    help="Keep dropout on as noise, or turn it off; other noise stays.  [default: test.dropout "
    "of the recipe]",
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number of the sample: each gives another translation, if the model draws noise.",
)
@click.option(
    "--int8",
    is_flag=True,
    help="Quantise the ONNX file to 8 bits, and measure how much its outputs change.",
)
@click.option("--opset", type=click.IntRange(7), help="ONNX operator set version.  [default: 18]")
@click.option(
    "--images",
    multiple=True,
    metavar="PATH",
    help="Check on these images, folders or patterns instead of the run's samples. Repeatable.",
)
@model_option
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
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
    name: str,
    overwrite: bool,
) -> None:
    """Export MODEL to a file that runs without i2i.

    MODEL is a run, a checkpoint or a model.safetensors file. The exported file takes batches of any
    size; height and width must be multiples of the network's size divisor. Its metadata says how to
    prepare images. Before it is written, its outputs on real images are compared with PyTorch's: a
    difference above 1e-4 is an error.

    \b
    i2i export runs/facades --to onnx
    i2i export runs/facades --to onnx --int8 --images labels/
    i2i export runs/facades --to torch --statistics running --no-dropout
    """
    if format == "torch" and (int8 or opset is not None):
        raise click.UsageError("--int8 and --opset are for --to onnx")
    from i2i.cli.loading import load_model
    from i2i.exporting import OPSET, export_onnx, export_torch

    loaded = load_model(model, name, "cpu")
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
        say(f"this network takes one size only: {size_text(done.fixed)}")
    sizes = ", ".join(map(size_text, done.sizes))
    checked_on = f"checked on {done.images}, "
    if done.instead is not None:
        say(f"{checked_on}as {done.instead}")
        checked_on = ""
    say(
        f"{checked_on}at {sizes}: values in [-1, 1] differ from PyTorch's by "
        f"{done.difference:.1e} at most"
    )
    if done.quantised is not None:
        loss = done.quantised
        against = ""
        if loss.to_target is not None:
            against = f"; l1 to the targets {loss.to_target:.4f}, before {loss.float_to_target:.4f}"
        say(
            f"int8: {_megabytes(done.bytes)}, before {_megabytes(loss.float_bytes)}; l1 to the "
            f"outputs without int8 {loss.loss:.4f}{against}"
        )
    say(f"written to {done.path} ({_megabytes(done.bytes)})")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
