"""A training step, against the peer's and against equal plain PyTorch loops.

i2i: the step as `i2i run` takes it, its batches cut from decoded images while the step before
runs. At the paper's size the peer is `Pix2PixModel.optimize_parameters` of
pytorch-CycleGAN-and-pix2pix on a batch that lies ready. At all sizes there is a loop in plain
PyTorch: the same networks in torch's own layers, Adam as people write it, a batch that lies ready;
nothing is checked, logged or seeded. At small sizes a second one uses Adam's option `fused`; at the
paper's, i2i is measured once more in the original release's order, which saves a pass through the
discriminator (`method.adversarial_gradient = "before"`). Each is a process of its own; they take
turns, step by step.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.contestant import Turns, in_turn
from benchmarks.limit import limit, step_gflop
from benchmarks.networks import paper_recipe, trainer
from benchmarks.options import Options
from benchmarks.peer import PAPER, TRAINING, Peer, unpacked
from benchmarks.plain import plain_loop, ready_batch
from benchmarks.summary import comparison, ratios, spread, summary
from i2i.batch import Batch
from i2i.datasets.decoded import Decoded
from i2i.datasets.loader import Loader
from i2i.recipe import Recipe
from i2i.training.log import Meter

PAIRS = 64
DROPPED = 2


@dataclass(frozen=True)
class Configuration:
    """What is trained: images' side, images in a step, channels of the outermost maps."""

    size: int
    batch: int
    base: int

    @property
    def papers(self) -> bool:
        """Whether these are the paper's networks, which the peer has too."""
        return (self.size, self.base) == (256, 64)

    def __str__(self) -> str:
        return f"{self.size} x {self.size}, batch {self.batch}, {self.base} base channels"


CONFIGURATIONS = tuple(
    Configuration(size, batch, base)
    for size, base, batches in ((256, 64, (1, 4)), (128, 32, (1, 8)), (64, 32, (1, 8)))
    for batch in batches
)


def measure(options: Options) -> dict[str, Any]:
    """Time the steps of each configuration."""
    chosen = [
        c
        for c in CONFIGURATIONS
        if options.size in (None, c.size) and options.batch in (None, c.batch)
    ]
    if not chosen:
        there_are = "; ".join(map(str, CONFIGURATIONS))
        raise SystemExit(f"there is no such configuration. There are: {there_are}")
    with unpacked(options.peer) if options.peer else nullcontext() as peer:
        results = [_measured(c, options.rounds or (7 if c.papers else 25), peer) for c in chosen]
    return {
        "what": f"a training step, {torch.get_num_threads()} threads",
        "peer_source": peer.source if peer else None,
        "results": results,
    }


def _measured(configuration: Configuration, rounds: int, peer: Peer | None) -> dict[str, Any]:
    recipe = paper_recipe(configuration.size, configuration.batch, configuration.base)
    gflop, most = step_gflop(recipe), limit(recipe)
    contestants: dict[str, tuple[Turns, tuple[Any, ...]]]
    contestants = {"ours": (_ours, (recipe,)), "plain": (plain_loop, (recipe,))}
    if configuration.papers:
        contestants["before"] = (_ours, (_in_the_first_order(configuration),))
        if peer:
            contestants["peer"] = (_peers, (recipe, peer))
    else:
        contestants["fused"] = (plain_loop, (recipe, {"fused": True}))
    taken = in_turn(contestants, rounds, DROPPED)
    times = {name: [seconds for seconds, _ in turns] for name, turns in taken.items()}
    against = "peer" if "peer" in times else "plain"
    result = comparison(str(configuration), times["ours"], times[against])
    reached = gflop / result["ours"]["median"]
    result |= {
        "size": configuration.size,
        "batch": configuration.batch,
        "base_channels": configuration.base,
        "against": against,
        "waiting": sum(waited for _, waited in taken["ours"]) / sum(times["ours"]),
        "gflop": gflop,
        "gflop_per_second": reached,
        "limit": most,
        "share": {name: reached / rate for name, rate in most.items()},
    }
    for name in times.keys() & {"plain", "fused"}:
        result[name] = summary(times[name])
        result[f"ratio_{name}"] = ratios(times["ours"], times[name])
    if "before" in times:
        result["before"] = summary(times["before"])
        result["ratio_before"] = ratios(times["before"], times[against])
    return result


def _in_the_first_order(configuration: Configuration) -> Recipe:
    order = ("method.type=pix2pix", "method.adversarial_gradient=before")
    return paper_recipe(configuration.size, configuration.batch, configuration.base, *order)


def _ours(recipe: Recipe) -> Iterator[float]:
    meter = Meter()
    training = trainer(recipe, PAIRS)
    height, width = recipe.augment.load
    array = np.random.default_rng(0).integers(0, 256, (PAIRS, 6, height, width), dtype=np.uint8)
    names = tuple(map(str, range(PAIRS)))
    loader = Loader(
        Decoded(array, 3, names, ((),) * PAIRS, (), ""),
        batch_size=recipe.train.batch_size,
        crop=recipe.augment.crop,
        flip=True,
        seed=0,
    )
    batches = loader.batches()
    while True:
        began = time.perf_counter()
        with meter.waiting():
            batch = next(batches)
        waited = time.perf_counter() - began
        meter.add(training.update(batch, _no_files), recipe.train.batch_size)
        yield waited
        meter.restart_clock()


def _no_files(_: Batch) -> str:
    return ""


def _peers(recipe: Recipe, peer: Peer) -> Iterator[float]:
    arguments = ("--dataroot", peer.folder, "--batch_size", recipe.train.batch_size)
    model = peer.model(peer.options("train", *PAPER, *TRAINING, *arguments))
    source, target = ready_batch(recipe)
    paths = [""] * recipe.train.batch_size
    while True:
        model.set_input({"A": target, "B": source, "A_paths": paths, "B_paths": paths})
        model.optimize_parameters()
        yield 0.0


def lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    shown = [result["what"]]
    if result["peer_source"]:
        shown.append(f"peer: {result['peer_source']}")
    for each in result["results"]:
        shown += [each["what"], f"  i2i    {spread(each['ours'], 4)} s"]
        rows = [("peer", each["peer"], each["ratio"])] if each["against"] == "peer" else []
        rows += [(n, each[n], each[f"ratio_{n}"]) for n in ("plain", "fused") if n in each]
        shown += [
            f"  {name:<6} {spread(seconds, 4)} s: i2i is {spread(ratio)} times as fast"
            for name, seconds, ratio in rows
        ]
        if "before" in each:
            shown.append(
                f"  i2i in the original release's order {spread(each['before'], 4)} s: "
                f"{spread(each['ratio_before'])} times as fast as the {each['against']}"
            )
        training, forward = each["limit"]["training"], each["limit"]["forward"]
        shown += [
            f"  waiting for data: {100 * each['waiting']:.2f}% of i2i's time",
            f"  {each['gflop_per_second']:.1f} GFLOP/s; the fastest convolution alone has "
            f"{training:.1f} in training, {forward:.1f} forwards: "
            f"{100 * each['share']['training']:.0f}% and {100 * each['share']['forward']:.0f}%",
        ]
    return shown
