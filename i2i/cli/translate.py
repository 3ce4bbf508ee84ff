"""`i2i translate`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

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
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The outputs' folder.")
@click.option(
    "--size",
    type=_Size(),
    default="auto",
    show_default=True,
    metavar="SIZE",
    help="Bring inputs to this size first: own (leave them), train (that of the training), 256, "
    "or HEIGHTxWIDTH. auto is train for pairs (see --half), and own for all else.",
)
@click.option(
    "--half",
    type=click.Choice(["auto", "whole", "left", "right"]),
    default="auto",
    show_default=True,
    help="What of a file is the input. auto takes the input's half of files that look like the "
    "model's own data, where that is pairs side by side.",
)
@click.option(
    "--tile",
    type=click.IntRange(0),
    help="Translate by tiles of this size, 0 for none  [512 for images above 4 megapixels]",
)
@click.option(
    "--overlap",
    type=click.IntRange(0),
    help="Pixels over which tiles are faded into each other  [64, or half of a smaller tile]",
)
@click.option(
    "--samples",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Translations of each, by the dropout's noise: NAME-1, NAME-2, …",
)
@click.option("--side-by-side", is_flag=True, help="Write input and outputs in one row, as RGB.")
@click.option(
    "--format",
    type=click.Choice(["auto", "png", "tiff", "jpg"]),
    default="auto",
    show_default=True,
    help="Of the outputs; auto is TIFF or .npy where the input is one, else PNG, or TIFF where "
    "the output has more channels.",
)
@click.option(
    "--max-megapixels",
    type=click.FloatRange(0, min_open=True),
    help="Decode larger files than the 89 megapixels that are safe with strangers' files.",
)
@click.option("--overwrite", is_flag=True, help="Translate all anew; replace what is there.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, mps, cuda, cuda:1.")
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
    max_megapixels: float | None,
    overwrite: bool,
    device: str,
) -> None:
    """Translate INPUTS with MODEL: a run, a checkpoint, or a lone model.safetensors.

    INPUTS are images, folders of them, and patterns. Any size will do. Bit depth, alpha, colour
    profile and resolution of a file are kept where the model's channels and the format allow.

    \b
    i2i translate runs/facades labels/ --out photos
    i2i translate model.safetensors 'scans/**/*.tif' --out out --side-by-side
    i2i translate runs/maps aerial.png --out out --tile 512 --overlap 64
    i2i translate runs/facades labels/ --out many --samples 4

    Files that can't be translated are listed at the end and don't stop the others; the exit status
    is 1 then, and 2 if none could be. The same command again goes on where it was stopped.
    """
    from i2i.cli.loading import load_model
    from i2i.images import trust_up_to
    from i2i.system.memory import keep_freed_memory
    from i2i.translation.options import TranslationOptions
    from i2i.translation.translate import translate as translate_files

    loaded = load_model(model, device)
    keep_freed_memory(loaded.device)
    if max_megapixels is not None:
        trust_up_to(round(max_megapixels * 1e6))
    options = TranslationOptions(half, size, tile, overlap, samples, side_by_side, format)
    done = translate_files(loaded, inputs, out, options, overwrite=overwrite)
    _show(done)
    ctx.exit(1 if done.bad else 0)


def _show(done: "Translation") -> None:
    for note in done.notes:
        click.echo(note)
    all_in_all = done.now + done.before
    before = f" ({done.now:,} now, {done.before:,} before)" if done.before else ""
    click.echo(f"translated {all_in_all:,} of {done.inputs:,} to {done.out}{before}")
    if done.bad:
        click.echo(f"not translated: {len(done.bad):,}", err=True)
    for reason in done.bad.values():
        click.echo(f"  {_one_line(reason)}", err=True)


def _one_line(text: str) -> str:
    """A text whose file names may hold anything."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
