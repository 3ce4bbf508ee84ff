"""A training step of CycleGAN, against the peer's own.

The peer is `CycleGANModel.optimize_parameters` of pytorch-CycleGAN-and-pix2pix on one prepared
batch, with the same networks, losses and pool. i2i also crops its batches meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.contestant import Turns, in_turn
from benchmarks.options import Options
from benchmarks.peer import Peer, unpacked
from benchmarks.plain import ready_batch
from benchmarks.steps import steps_of
from benchmarks.summary import comparison, spread
from i2i.datasets.decoded import Decoded
from i2i.datasets.unpaired import Unpaired
from i2i.recipe import Recipe, parse_recipe

IMAGES = 64
DROPPED = 2


@dataclass(frozen=True)
class Configuration:
    """What is trained: image size, residual blocks, and `base_channels` of the networks."""

    size: int
    blocks: int
    base: int

    def recipe(self) -> Recipe:
        """CycleGAN's recipe at this size."""
        return parse_recipe(
            {
                "name": "cyclegan",
                "data": {"type": "synthetic", "paired": False},
                "augment": {"crop_size": self.size, "load_size": self.size * 286 // 256},
                "method": {"type": "cyclegan"},
                "generator": {"blocks": self.blocks, "base_channels": self.base},
                "discriminator": {"base_channels": self.base},
                "losses": [{"type": "gan", "objective": "lsgan"}],
                "train": {"device": "cpu"},
            }
        )

    def peer_options(self) -> tuple[str, ...]:
        """The same networks as options of the peer."""
        return (
            *("--model", "cycle_gan", "--netG", f"resnet_{self.blocks}blocks"),
            *("--ngf", str(self.base), "--ndf", str(self.base), "--norm", "instance"),
            *("--load_size", str(self.size), "--crop_size", str(self.size)),
            *("--pool_size", "50", "--no_html", "--display_id", "-1"),
        )

    def __str__(self) -> str:
        return f"{self.size} x {self.size}, {self.blocks} blocks, {self.base} base channels"


CONFIGURATIONS = (Configuration(256, 9, 64), Configuration(64, 6, 32))


def measure(options: Options) -> dict[str, Any]:
    """Time the steps of each configuration."""
    chosen = [c for c in CONFIGURATIONS if options.size in (None, c.size)]
    if not chosen:
        known = "; ".join(map(str, CONFIGURATIONS))
        raise SystemExit(f"there is no such configuration; choose one of: {known}")
    with unpacked(options.peer) as peer:
        results = [
            _measured(c, options.rounds or (7 if c.size == 256 else 25), peer) for c in chosen
        ]
        return {
            "what": f"a training step of CycleGAN, {torch.get_num_threads()} threads",
            "peer_source": peer.source,
            "results": results,
        }


def _measured(configuration: Configuration, rounds: int, peer: Peer) -> dict[str, Any]:
    contestants: dict[str, tuple[Turns, tuple[Any, ...]]] = {
        "ours": (_ours, (configuration,)),
        "peer": (_peers, (configuration, peer)),
    }
    taken = in_turn(contestants, rounds, DROPPED)
    ours, theirs = ([seconds for seconds, _ in taken[name]] for name in ("ours", "peer"))
    return comparison(str(configuration), ours, theirs)


def _ours(configuration: Configuration) -> Iterator[float]:
    recipe = configuration.recipe()
    height, width = recipe.augment.load
    random = np.random.default_rng(0)
    names = tuple(map(str, range(IMAGES)))
    sides = (
        Decoded(
            random.integers(0, 256, (IMAGES, 3, height, width), dtype=np.uint8),
            3,
            names,
            ((),) * IMAGES,
            (),
            "",
        )
        for _ in range(2)
    )
    return steps_of(recipe, Unpaired(*sides))


def _peers(configuration: Configuration, peer: Peer) -> Iterator[float]:
    model = peer.model(
        peer.options("train", *configuration.peer_options(), "--dataroot", peer.folder)
    )
    source, target = ready_batch(configuration.recipe())
    while True:
        model.set_input({"A": source, "B": target, "A_paths": [""], "B_paths": [""]})
        model.optimize_parameters()
        yield 0.0


def lines(result: dict[str, Any]) -> list[str]:
    """The result as lines of text."""
    shown = [result["what"], f"peer: {result['peer_source']}"]
    for each in result["results"]:
        shown += [
            each["what"],
            f"  i2i {spread(each['ours'], 4)} s",
            f"  peer {spread(each['peer'], 4)} s: i2i is {spread(each['ratio'])} times as fast",
        ]
    return shown
