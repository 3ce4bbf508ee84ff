"""`i2i eval`."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from i2i.cli.options import float_range_option, model_option
from i2i.cli.say import say, say_document

if TYPE_CHECKING:
    from i2i.runs.evaluate import Evaluation


@click.command("eval")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME[:OPTION=VALUE,...]",
    help="Metric to compute, such as fid or fid:preset=tf1. Repeatable.  [default: the recipe's "
    "metrics; fid and kid for a folder]",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Folder of target images, if TARGET is a folder.",
)
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    help="Folder of the images that were translated, for metrics that need them (seg_score).",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the content of metrics.json instead of a table."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the results to this file; for a folder, only to this file.",
)
@click.option(
    "--on-bad",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="Unreadable images of a folder: error stops with a list, skip leaves out and counts them.",
)
@click.option(
    "--mixed-formats",
    is_flag=True,
    help="Allow lossy files such as JPEG among or against lossless ones, although metrics see the "
    "compression.",
)
@click.option(
    "--mode",
    type=click.Choice(["rgb", "gray", "channels"]),
    default="rgb",
    show_default=True,
    help="How images of a folder are read; channels takes all channels of a file.",
)
@float_range_option
@model_option
@click.option("--device", default="auto", show_default=True, help="auto, cpu, mps, cuda or cuda:1.")
@click.pass_context
def eval_(
    ctx: click.Context,
    target: Path | None,
    metrics: tuple[str, ...],
    against: Path | None,
    inputs: Path | None,
    as_json: bool,
    out: Path | None,
    on_bad: Literal["error", "skip"],
    mixed_formats: bool,
    mode: Literal["rgb", "gray", "channels"],
    float_range: tuple[float, float] | None,
    name: str,
    device: str,
) -> None:
    """Measure TARGET: a run, or a folder of images against another folder.

    For a run, the test split is translated with the settings of its recipe and compared with the
    targets; the values are added to its metrics.json and report. Without TARGET, the newest run
    under runs/ is measured. For a folder, --against names the target images.

    \b
    i2i eval --metric fid                                  measures the newest run
    i2i eval runs/facades --metric kid --metric lpips:net=vgg
    i2i eval outputs --against photos --metric fid:preset=pytorch-fid
    i2i eval out --against bands --metric l1 --mode channels --float-range 0 1

    Each value has a fingerprint: all settings that it depends on, such as weights, resize, seed,
    versions and number of images. 'i2i compare' compares values with equal fingerprints. 'i2i list
    metrics' lists the metrics, 'i2i show metric NAME' their options. The exit status is 1 if a
    metric is unavailable.
    """
    from i2i.evaluation.reading import Reading
    from i2i.runs.evaluate import evaluate, newest_run
    from i2i.system.json_file import json_text

    if target is None:
        target = newest_run()
        say(f"the newest run: {target}", err=True)
    found = evaluate(
        target,
        metrics,
        against=against,
        inputs=inputs,
        out=out,
        on_bad=on_bad,
        mixed_formats=mixed_formats,
        reading=Reading(mode, float_range),
        model=name,
        device=device,
    )
    for reason in found.passed_over:
        say(f"skipped a damaged checkpoint: {reason}", err=True)
    if as_json:
        say_document(json_text(found.document, indent=2) + "\n")
    else:
        _show(found)
    for text, reason in found.unavailable.items():
        first, *others = reason.split("\n")
        say(f"{text} is unavailable: {first}", *others, err=True)
    ctx.exit(1 if found.unavailable else 0)


def _show(found: "Evaluation") -> None:
    from rich.table import Table

    from i2i.cli.tables import print_table
    from i2i.evaluation.results import counted, extras, number

    table = Table("metric", "value", "images", "fingerprint", box=None, pad_edge=False)
    for text in found.asked:
        details = found.document["details"][text]
        better = "↑" if details["higher_is_better"] else "↓"
        shown = details.get("fingerprint_sha256", "")[:12]
        table.add_row(f"{details['label']} {better}", number(details), counted(details), shown)
        for name, value in extras(details):
            table.add_row(f"  {name}", value, style="dim")
    print_table(table)
    for line in found.document.get("left_out", []):
        say(line)
    for folder, bad in found.document.get("skipped", {}).items():
        say(f"skipped in {folder}: {len(bad)}")
        say(*(f"  {why}" for why in bad.values()))
    say(
        f"written to {found.path}"
        if found.path
        else "not written: the folder can't be written to; name a file with --out"
    )
