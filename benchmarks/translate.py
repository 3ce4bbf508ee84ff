"""Translating a folder of images from the start of the program to its end, against the peer's.

i2i: `i2i translate MODEL FOLDER --out …`. The peer: its `test.py` on the same files, with its
model for images without targets (`--model test`). Both keep dropout and take each image's own
statistics, as the paper does. The architecture is the paper's U-Net in both, but they place biases
and dropout differently, so they can't share weights: each has random ones, on which the time
doesn't depend. The peer also writes a copy of each input, and a page.

Then whether the batch that i2i chooses for speed changes what an image becomes.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.facades import write_halves
from benchmarks.model import write_untrained
from benchmarks.options import Options
from benchmarks.peer import Peer
from benchmarks.process import timed
from benchmarks.summary import comparison, spread
from benchmarks.workplace import workplace
from i2i.images import read
from i2i.images.tensors import batch_of_one
from i2i.runs.loading import load

IMAGES = 100
COMPARED = 16
ROUNDS = 3


def measure(options: Options) -> dict[str, Any]:
    """Start both programs in turn."""
    with workplace(options) as (peer, work):
        inputs = work / "inputs"
        files = write_halves(options.data / "test", inputs, left=False, count=IMAGES)
        model = write_untrained(work / "model.safetensors", options.data)
        difference = _largest_difference(model, files[:COMPARED])
        peer.save_generator("untrained")
        times: dict[str, list[float]] = {"ours": [], "peer": []}
        for turn in range(options.rounds or ROUNDS):
            out = work / f"out{turn}"
            programs = [
                ("ours", ours_command(model, inputs, out / "ours")),
                ("peer", peers_command(peer, inputs, out / "peer")),
            ]
            for name, command in programs if turn % 2 else reversed(programs):
                times[name].append(timed(command, folder=Path.cwd()).seconds)
                _check(out / name, IMAGES)
        source = peer.source
    result = comparison(
        f"translating {IMAGES} files of 256 x 256, start to end, {torch.get_num_threads()} threads",
        times["ours"],
        times["peer"],
    )
    return result | {"peer_source": source, "max_difference": difference}


def ours_command(model: Path, inputs: Path, out: Path) -> list[str]:
    """How `i2i translate` is started."""
    start = [sys.executable, "-m", "i2i", "translate", str(model), str(inputs)]
    return [*start, "--out", str(out), "--device", "cpu"]


def peers_command(peer: Peer, inputs: Path, out: Path) -> list[str]:
    """How the peer is started; it has a model named `untrained`."""
    own = ("--name", "untrained", "--model", "test", "--netG", "unet_256", "--norm", "batch")
    where = ("--dataroot", inputs, "--results_dir", out, "--num_test", IMAGES)
    return peer.command("test.py", *own, *where)


def _check(out: Path, count: int) -> None:
    """See that a program has done its work; the peer writes two images for each input."""
    written = len(list(out.rglob("*.png")))
    if written not in (count, 2 * count):
        raise SystemExit(f"{written} images were written for {count} inputs")


def _largest_difference(path: Path, files: list[Path]) -> float:
    """Between outputs in [-1, 1] of images in batches of the usual size, and one by one."""
    model = load(path, device="cpu")
    images = [batch_of_one(read(file)) for file in files]
    height, width = images[0].shape[2:]
    batches = [
        torch.cat([images[i] for i in batch])
        for batch in model.batches([(height, width)] * len(images))
    ]
    together = [model.translate_batch(batch) for batch in batches]
    alone = [model.translate_batch(image) for image in images]
    difference = torch.cat(together) - torch.cat(alone)
    return float(np.abs(difference.numpy()).max())


def lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    return [
        result["what"],
        f"peer: {result['peer_source']}",
        f"  i2i   {spread(result['ours'])} s",
        f"  peer  {spread(result['peer'])} s: i2i is {spread(result['ratio'])} times as fast",
        f"  outputs in batches and one by one differ by {result['max_difference']:.1e} at most",
    ]
