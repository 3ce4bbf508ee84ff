"""Epochs of a whole training, against steps on a prepared batch, and against the peer's epochs.

i2i runs `i2i.training.loop.train` as `i2i run` does, on real pairs. An epoch is measured from the
end of the previous one; the first is left out. Between epochs, when a run would translate its
samples, the other contestants take their turns: the same number of i2i's updates on one prepared
batch, and epochs of the peer's loop with its data set and `optimize_parameters`. Each runs in its
own process.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from benchmarks.contestant import Contestant
from benchmarks.facades import copy_pairs
from benchmarks.networks import paper_recipe, trainer
from benchmarks.options import Options
from benchmarks.peer import PAPER, TRAINING, Peer
from benchmarks.plain import ready_batch
from benchmarks.summary import comparison, spread, summary
from benchmarks.workplace import workplace
from i2i.batch import Batch
from i2i.datasets.decoded import decode
from i2i.datasets.loader import Loader
from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_dataset
from i2i.system.console import Console
from i2i.system.memory import keep_freed_memory
from i2i.training.log import MetricsLog
from i2i.training.loop import Callbacks, train
from i2i.training.trainer import Trainer

PAIRS = 40
ROUNDS = 3
PEERS_PROCESSES = (0, min(4, os.cpu_count() or 1))
"""Numbers of the peer's reader processes: none, and its default of 4, or the number of cores."""


def measure(options: Options) -> dict[str, Any]:
    """Time epochs, contestants in turn."""
    rounds = options.rounds or ROUNDS
    with ExitStack() as stack:
        peer, work = stack.enter_context(workplace(options))
        copy_pairs(options.data, work / "pairs", PAIRS)
        recipe = _recipe(work / "pairs", rounds)
        others = {"ready": stack.enter_context(Contestant(_ready_steps, recipe))}
        for processes in dict.fromkeys(PEERS_PROCESSES):
            others[f"{processes} processes"] = stack.enter_context(
                Contestant(_peers_epochs, peer, work / "pairs", processes)
            )
        ours = _Epochs(others)
        log = work / "metrics.jsonl"
        _train(recipe, ours, log)
        waiting = [json.loads(line)["waiting"] for line in log.read_text().splitlines()]
        source = peer.source
    times = {name: values[1:] for name, values in ours.times.items()}
    results = [
        comparison("steps on a prepared batch", times["ours"], times["ready"]),
        *(
            comparison(f"the peer, {name} for reading", times["ours"], times[name])
            for name in others
            if name != "ready"
        ),
    ]
    return {
        "what": f"an epoch of {PAIRS} pairs, 256 x 256, batch 1, the paper's networks, "
        f"{torch.get_num_threads()} threads",
        "peer_source": source,
        "steps": PAIRS,
        "waiting": summary(waiting[1:]),
        "results": results,
    }


class _Epochs:
    """Times the epochs of a training, and lets the other contestants take turns between them.

    Args:
        others: The other contestants; one turn is an epoch.
    """

    def __init__(self, others: dict[str, Contestant]) -> None:
        self.others = others
        self.times: dict[str, list[float]] = {name: [] for name in ("ours", *others)}
        self.began = time.perf_counter()

    def ended(self, trainer: Trainer) -> None:
        """Called at the end of an epoch of the training: measure the others."""
        self.times["ours"].append(time.perf_counter() - self.began)
        for name in self.others if trainer.step // PAIRS % 2 else reversed(self.others):
            self.times[name].append(self.others[name].turn()[0])
        self.began = time.perf_counter()


def _recipe(pairs: Path, rounds: int) -> Recipe:
    return paper_recipe(
        256,
        1,
        64,
        f"data.root={pairs}",
        f"train.epochs={rounds + 1}",
        f"log.every={PAIRS}",
        f"log.samples_every={PAIRS}",
        "checkpoint.every=1000000",
    )


def _train(recipe: Recipe, epochs: _Epochs, log: Path) -> None:
    decoded = decode(assemble_dataset(recipe), "train", recipe.augment.load)
    loader = Loader(
        decoded,
        batch_size=recipe.train.batch_size,
        crop=recipe.augment.crop,
        flip=recipe.augment.flip,
        seed=recipe.seed,
        workers=recipe.train.workers,
    )
    keep_freed_memory(torch.device("cpu"))
    training = trainer(recipe, loader.steps_per_epoch)
    callbacks = Callbacks(_no_checkpoint, epochs.ended, None, _no_best, _no_files)
    with MetricsLog(log, 0) as written:
        train(training, loader, written, Console(quiet=True), callbacks)


def _ready_steps(recipe: Recipe) -> Iterator[float]:
    keep_freed_memory(torch.device("cpu"))
    training = trainer(recipe, PAIRS)
    source, target = ready_batch(recipe)
    batch = Batch(source, target, ("ready",))
    while True:
        for _ in range(PAIRS):
            training.update(batch, _no_files)
        yield 0.0


def _peers_epochs(peer: Peer, pairs: Path, processes: int) -> Iterator[float]:
    own = ("--dataroot", pairs, "--num_threads", processes)
    options = peer.options("train", *PAPER, *TRAINING, *own)
    dataset, model = peer.dataset(options), peer.model(options)
    while True:
        for batch in dataset:
            model.set_input(batch)
            model.optimize_parameters()
        yield 0.0


def _no_checkpoint(_: Trainer) -> None:
    pass


def _no_best(_: float, __: float) -> bool:
    return False


def _no_files(_: Batch) -> str:
    return ""


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    shown = [
        result["what"],
        f"peer: {result['peer_source']}",
        f"  i2i: {spread(result['results'][0]['ours'])} s",
    ]
    for each in result["results"]:
        shown.append(
            f"  {each['what']}: {spread(each['peer'])} s, "
            f"{spread(each['ratio'], 3)} times as long as i2i's"
        )
    waiting = {key: 100 * value for key, value in result["waiting"].items()}
    return [*shown, f"  waiting for data: {spread(waiting)}% of i2i's time"]
