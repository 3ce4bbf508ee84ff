"""Peak memory of a training, against the peer's.

i2i runs `i2i run` with the paper's recipe, which also decodes the pairs and saves a checkpoint at
the end. The peer runs its `train.py`, which reads in its own process and saves nothing in so few
steps. Both take the same number of steps on the same pairs. The process that starts them uses less
memory than either, because the measured peak is at least its own.
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.facades import copy_pairs
from benchmarks.networks import RECIPE
from benchmarks.options import Options
from benchmarks.peer import PAPER, TRAINING, Peer
from benchmarks.process import timed
from benchmarks.summary import comparison, spread
from benchmarks.workplace import workplace

STEPS = 6
BATCHES = (1, 4)
ROUNDS = 3


def measure(options: Options) -> dict[str, Any]:
    """Run both in turn."""
    with workplace(options) as (peer, work):
        rounds = options.rounds or ROUNDS
        chosen = [batch for batch in BATCHES if options.batch in (None, batch)]
        return {
            "what": f"peak MiB, {STEPS} steps of training at 256 x 256",
            "peer_source": peer.source,
            "results": [_measured(options.data, work, peer, batch, rounds) for batch in chosen],
        }


def _measured(data: Path, work: Path, peer: Peer, batch: int, rounds: int) -> dict[str, Any]:
    pairs = work / f"pairs{batch}"
    copy_pairs(data, pairs, STEPS * batch)
    peaks: dict[str, list[float]] = {"ours": [], "peer": []}
    for turn in range(rounds):
        programs = {
            "ours": _ours(pairs, batch, work / f"run{batch}-{turn}"),
            "peer": _peers(peer, pairs, batch),
        }
        for name in programs if turn % 2 else reversed(programs):
            peaks[name].append(timed(programs[name]).peak_mib)
    return comparison(f"batch {batch}", peaks["ours"], peaks["peer"]) | {"batch": batch}


def _ours(pairs: Path, batch: int, out: Path) -> list[str]:
    settings = (
        f"data.root={pairs}",
        f"train.batch_size={batch}",
        f"train.max_steps={STEPS}",
        "train.device=cpu",
        'eval.metrics=["l1"]',
    )
    command = [sys.executable, "-m", "i2i", "run", str(RECIPE), "--out", str(out)]
    return [*command, *(word for setting in settings for word in ("--set", setting))]


def _peers(peer: Peer, pairs: Path, batch: int) -> list[str]:
    data = ("--dataroot", pairs, "--batch_size", batch, "--num_threads", 0)
    return peer.command(
        "train.py", *PAPER, *TRAINING, *data, "--n_epochs", 1, "--n_epochs_decay", 0
    )


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    shown = [result["what"], f"peer: {result['peer_source']}"]
    for each in result["results"]:
        shown.append(
            f"  {each['what']}: i2i {spread(each['ours'], 0)}, peer {spread(each['peer'], 0)}, "
            f"{spread(each['ratio'])} times as much as i2i"
        )
    return shown
