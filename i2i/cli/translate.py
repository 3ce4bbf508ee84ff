"""`i2i translate`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from i2i.cli.options import Amount, float_range_option, model_option
from i2i.cli.say import say

if TYPE_CHECKING:
    from i2i.translation.translate import Translation


class _Size(click.ParamType[str | tuple[int, int]]):
    """`auto`, `own`, `train`, or a size such as 256 or 256x512."""

    name = "size"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | tuple[int, int]:
        if value in ("auto", "own", "train"):
            return value
        found = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", value)
        if found is None:
            self.fail(f"'{value}' is neither auto, own, train, nor a size such as 256 or 256x512")
        return int(found[1]), int(found[2] or found[1])


@click.command
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the outputs."
)
@click.option(
    "--size",
    type=_Size(),
    default="auto",
    show_default=True,
    metavar="SIZE",
    help="Resize inputs first: own (keep their size), train (the size used in training), 256, or "
    "HEIGHTxWIDTH. auto is train for pairs (see --half), else own.",
)
@click.option(
    "--half",
    type=click.Choice(["auto", "whole", "left", "right"]),
    default="auto",
    show_default=True,
    help="Part of each file to translate. auto takes the input half of a file that looks like a "
    "side-by-side pair of the model's training data, else the whole file.",
)
@click.option(
    "--tile",
    type=click.IntRange(0),
    help="Translate in tiles of this size; 0 turns tiles off.  [default: 512 for images above 4 "
    "megapixels, else none]",
)
@click.option(
    "--overlap",
    type=click.IntRange(0),
    help="Pixels over which neighbouring tiles are blended.  [default: 64, or half a smaller tile]",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Translations of each input, with different noise: NAME-1, NAME-2, ...",
)
@click.option("--side-by-side", is_flag=True, help="Write input and outputs as one row, in RGB.")
@click.option(
    "--format",
    type=click.Choice(["auto", "png", "tiff", "jpg"]),
    default="auto",
    show_default=True,
    help="Format of outputs. auto keeps TIFF and .npy, and writes all others as PNG, or as TIFF if "
    "PNG can't store the channels.",
)
@float_range_option
@click.option(
    "--max-megapixels",
    type=Amount(),
    help="Largest image to decode. Raise it for trusted files only.  [default: 89]",
)
@click.option(
    "--overwrite", is_flag=True, help="Translate everything again and replace existing files."
)
@model_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, mps, cuda or cuda:1.")
@click.pass_context
def translate(
    ctx: click.Context,
    model: Path,
    inputs: tuple[str, ...],
    out: Path,
    size: "Literal['auto', 'own', 'train'] | tuple[int, int]",
    half: Literal["auto", "whole", "left", "right"],
    tile: int | None,
    overlap: int | None,
    samples: int,
    side_by_side: bool,
    format: Literal["auto", "png", "tiff", "jpg"],
    float_range: tuple[float, float] | None,
    max_megapixels: float | None,
    overwrite: bool,
    name: str,
    device: str,
) -> None:
    """Translate the images INPUTS with MODEL.

    MODEL is a run, a checkpoint or a model.safetensors file. INPUTS are images of any size, folders
    or patterns. Bit depth, alpha, colour profile and resolution are kept if the model's channels
    and the format allow it.

    \b
    i2i translate runs/facades labels/ --out photos
    i2i translate model.safetensors 'scans/**/*.tif' --out out --side-by-side
    i2i translate runs/maps aerial.png --out out --tile 512 --overlap 64
    i2i translate runs/facades labels/ --out many --samples 4

    Files that can't be translated are listed at the end and don't stop the others. The exit status
    is then 1, or 2 if no file could be translated. To continue after a stop, run the same command
    again.
    """
    from i2i.cli.loading import load_model
    from i2i.images import trust_up_to
    from i2i.system.memory import keep_freed_memory
    from i2i.translation.options import TranslationOptions
    from i2i.translation.translate import translate as translate_files

    loaded = load_model(model, name, device)
    keep_freed_memory(loaded.device)
    if max_megapixels is not None:
        trust_up_to(round(max_megapixels * 1e6))
    options = TranslationOptions(
        half, size, tile, overlap, samples, side_by_side, format, float_range
    )
    done = translate_files(loaded, inputs, out, options, overwrite=overwrite)
    _show(done)
    ctx.exit(1 if done.bad else 0)


def _show(done: "Translation") -> None:
    say(*done.notes)
    total = done.now + done.before
    before = f" ({done.now:,} now, {done.before:,} before)" if done.before else ""
    say(f"translated {total:,} of {done.inputs:,} to {done.out}{before}")
    if done.bad:
        say(f"not translated: {len(done.bad):,}", err=True)
    say(*(f"  {reason}" for reason in done.bad.values()), err=True)
