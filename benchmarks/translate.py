"""Translation of a folder of images, the whole program, against the peer's.

i2i runs `i2i translate MODEL FOLDER --out …`. The peer runs its `test.py` on the same files, with
its model for images without targets (`--model test`). Both keep dropout on and use the statistics
of each image, as the paper does. Both have the paper's U-Net, but with biases and dropout at
different places, so they can't share weights. Each has random weights, because the time doesn't
depend on them. The peer also writes a copy of each input, and an HTML page.

The largest difference between outputs in batches and one by one is measured, too.
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
    """Run both programs in turn."""
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
        f"translating {IMAGES} files of 256 x 256, whole program, "
        f"{torch.get_num_threads()} threads",
        times["ours"],
        times["peer"],
    )
    return result | {"peer_source": source, "max_difference": difference}


def ours_command(model: Path, inputs: Path, out: Path) -> list[str]:
    """The command line of `i2i translate`."""
    start = [sys.executable, "-m", "i2i", "translate", str(model), str(inputs)]
    return [*start, "--out", str(out), "--device", "cpu"]


def peers_command(peer: Peer, inputs: Path, out: Path) -> list[str]:
    """The command line of the peer; it must have a model named `untrained`."""
    own = ("--name", "untrained", "--model", "test", "--netG", "unet_256", "--norm", "batch")
    where = ("--dataroot", inputs, "--results_dir", out, "--num_test", IMAGES)
    return peer.command("test.py", *own, *where)


def _check(out: Path, count: int) -> None:
    """Check that a program wrote all images; the peer writes two for each input."""
    written = len(list(out.rglob("*.png")))
    if written not in (count, 2 * count):
        raise SystemExit(f"{written} images were written for {count} inputs")


def _largest_difference(path: Path, files: list[Path]) -> float:
    """Largest difference of outputs in [-1, 1] between batches of i2i's size and single images."""
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
    """The result as lines of text."""
    return [
        result["what"],
        f"peer: {result['peer_source']}",
        f"  i2i   {spread(result['ours'])} s",
        f"  peer  {spread(result['peer'])} s: i2i is {spread(result['ratio'])} times as fast",
        f"  outputs in batches and one by one differ by at most {result['max_difference']:.1e}",
    ]
