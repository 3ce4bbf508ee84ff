"""A training step, against plain PyTorch's and the peer's.

i2i takes the step as in `i2i run`: its batches are cropped from decoded images while the previous
step runs. If the processor has fast instructions for it, `bf16-mixed` is measured, too. "torch" is
the same networks in a plain loop with fused Adam, freed memory kept for the next step and one
prepared batch; it is measured with contiguous and channels-last maps, and the faster one counts. At
the paper's size, the peer is `Pix2PixModel.optimize_parameters` of pytorch-CycleGAN-and-pix2pix on
one prepared batch. Each runs in its own process; they take turns, step by step.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import cyclegan_step
from benchmarks.contestant import Turns, in_turn
from benchmarks.networks import paper_recipe
from benchmarks.options import Options
from benchmarks.peer import PAPER, TRAINING, Peer, unpacked
from benchmarks.plain import ready_batch, torch_loop
from benchmarks.steps import steps_of
from benchmarks.summary import ratios, spread, summary
from i2i.datasets.decoded import Decoded
from i2i.recipe import Recipe
from i2i.system.devices import has_fast_bf16

PAIRS = 64
DROPPED = 2
LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


@dataclass(frozen=True)
class Configuration:
    """What is trained: image size, pairs per step, and `base_channels` of the networks."""

    size: int
    batch: int
    base: int

    @property
    def is_papers(self) -> bool:
        """Whether these are the paper's networks, which the peer also has."""
        return (self.size, self.base) == (256, 64)

    def recipe(self, *overrides: str) -> Recipe:
        """The paper's recipe at this size."""
        return paper_recipe(self.size, self.batch, self.base, *overrides)

    def __str__(self) -> str:
        return f"{self.size} x {self.size}, batch {self.batch}, {self.base} base channels"


CONFIGURATIONS = tuple(
    Configuration(size, batch, base)
    for size, base, batches in ((256, 64, (1, 4)), (128, 32, (1, 8)), (64, 32, (1, 8)))
    for batch in batches
)


def measure(options: Options) -> dict[str, Any]:
    """Time the steps of each configuration."""
    if options.method == "cyclegan":
        return cyclegan_step.measure(options)
    chosen = [
        c
        for c in CONFIGURATIONS
        if options.size in (None, c.size) and options.batch in (None, c.batch)
    ]
    if not chosen:
        known = "; ".join(map(str, CONFIGURATIONS))
        raise SystemExit(f"there is no such configuration; choose one of: {known}")
    with unpacked(options.peer) if options.peer else nullcontext() as peer:
        results = [_measured(c, options.rounds or (9 if c.is_papers else 25), peer) for c in chosen]
    return {
        "what": f"a training step, {torch.get_num_threads()} threads",
        "peer_source": peer.source if peer else None,
        "results": results,
    }


def _measured(configuration: Configuration, rounds: int, peer: Peer | None) -> dict[str, Any]:
    recipe = configuration.recipe()
    contestants: dict[str, tuple[Turns, tuple[Any, ...]]] = {"ours": (_ours, (recipe,))}
    contestants |= {name: (torch_loop, (recipe, layout)) for name, layout in LAYOUTS.items()}
    if has_fast_bf16():
        half = configuration.recipe("train.precision=bf16-mixed")
        contestants["bf16"] = (_ours, (half,))
    if peer and configuration.is_papers:
        contestants["peer"] = (_peers, (recipe, peer))
    taken = in_turn(contestants, rounds, DROPPED)
    times = {name: [seconds for seconds, _ in turns] for name, turns in taken.items()}
    layout = min(LAYOUTS, key=lambda name: median(times[name]))
    times["torch"] = times[layout]
    result: dict[str, Any] = {
        "what": str(configuration),
        "size": configuration.size,
        "batch": configuration.batch,
        "base_channels": configuration.base,
        "torch_layout": layout,
        "waiting": sum(waited for _, waited in taken["ours"]) / sum(times["ours"]),
        **{name: summary(seconds) for name, seconds in times.items()},
        "ratio_torch": ratios(times["ours"], times["torch"]),
    }
    if "bf16" in times:
        result["ratio_bf16"] = ratios(times["bf16"], times["torch"])
    if "peer" in times:
        result["ratio"] = ratios(times["ours"], times["peer"])
        if "bf16" in times:
            result["ratio_bf16_peer"] = ratios(times["bf16"], times["peer"])
    return result


def _ours(recipe: Recipe) -> Iterator[float]:
    height, width = recipe.augment.load
    array = np.random.default_rng(0).integers(0, 256, (PAIRS, 6, height, width), dtype=np.uint8)
    names = tuple(map(str, range(PAIRS)))
    return steps_of(recipe, Decoded(array, 3, names, ((),) * PAIRS, (), ""))


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
    """The result as lines of text."""
    if "CycleGAN" in result["what"]:
        return cyclegan_step.lines(result)
    shown = [result["what"]]
    if result["peer_source"]:
        shown.append(f"peer: {result['peer_source']}")
    for each in result["results"]:
        layout = each["torch_layout"]
        rows = [("torch", f"torch, {layout}", "ratio_torch"), ("peer", "peer", "ratio")]
        shown += [each["what"], f"  i2i {spread(each['ours'], 4)} s"]
        shown += [
            f"  {label} {spread(each[name], 4)} s: i2i is {spread(each[ratio])} times as fast"
            for name, label, ratio in rows
            if name in each
        ]
        if "bf16" in each:
            shown.append(
                f"  i2i in bf16-mixed {spread(each['bf16'], 4)} s: "
                f"{spread(each['ratio_bf16'])} times as fast as torch in float32"
            )
        if "ratio_bf16_peer" in each:
            shown.append(f"    {spread(each['ratio_bf16_peer'])} times as fast as the peer")
        shown.append(f"  waiting for data: {100 * each['waiting']:.2f}% of i2i's time")
    return shown
