"""Compare the networks and one training step with the authors' code, from the user's clone.

    python plugins/i2i-cyclegan/compare.py path/to/pytorch-CycleGAN-and-pix2pix

Run it at the root of i2i's repository. It copies the clone's weights into the plugin's networks,
and prints the largest difference of all outputs (at most 1e-5) and of all losses of one step on a
fixed batch (at most 1e-4); the exit status is 1 if one is larger.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.peer import unpacked
from i2i.batch import Batch
from i2i.recipe import parse_recipe
from i2i.recipe.assemble import assemble_losses, assemble_method
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer

NETWORKS = {
    "generator": "G_A",
    "inverse": "G_B",
    "discriminator.target": "D_A",
    "discriminator.input": "D_B",
}
LOSSES = {
    "gan.target": "G_A",
    "gan.input": "G_B",
    "cycle.input": "cycle_A",
    "cycle.target": "cycle_B",
    "identity.target": "idt_A",
    "identity.input": "idt_B",
    "discriminator.target": "D_A",
    "discriminator.input": "D_B",
}
OPTIONS = (
    *("--model", "cycle_gan", "--norm", "instance", "--netG", "resnet_9blocks"),
    *("--pool_size", "50", "--no_html", "--display_id", "-1"),
)


def main(clone: Path, size: int = 128) -> int:
    """Print the differences; return the exit status."""
    recipe = parse_recipe(
        {
            "name": "compared",
            "data": {"type": "synthetic", "paired": False},
            "augment": {"crop_size": size, "load_size": size},
            "method": {"type": "cyclegan"},
            "losses": [{"type": "gan", "objective": "lsgan"}],
        }
    )
    ours = Trainer(
        recipe, Engine("cpu"), assemble_method(recipe, (3, 3), assemble_losses(recipe)), 1000
    )
    with unpacked(clone) as peer:
        theirs = peer.model(peer.options("train", *OPTIONS, "--dataroot", peer.folder))
        print(peer.source)
        for name, network in ours.method.networks.items():
            _copy(getattr(theirs, f"net{NETWORKS[name]}"), network)
        images = torch.rand(2, 1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
        outputs = _output_difference(ours, theirs, images[0])
        print(f"outputs differ by {outputs:.1e}")
        losses = _loss_difference(ours, theirs, images)
        print(f"losses differ by {losses:.1e}")
    return 0 if outputs <= 1e-5 and losses <= 1e-4 else 1


def _copy(source: nn.Module, target: nn.Module) -> None:
    """Copy weights by their order; shapes must agree."""
    pairs = zip(source.parameters(), target.parameters(), strict=True)
    with torch.no_grad():
        for theirs, ours in pairs:
            if theirs.shape != ours.shape:
                raise SystemExit(f"a weight is {theirs.shape} there and {ours.shape} here")
            ours.copy_(theirs)


def _output_difference(ours: Trainer, theirs: Any, images: torch.Tensor) -> float:
    with torch.no_grad():
        return max(
            (network(images) - getattr(theirs, f"net{NETWORKS[name]}")(images)).abs().max().item()
            for name, network in ours.method.networks.items()
        )


def _loss_difference(ours: Trainer, theirs: Any, images: torch.Tensor) -> float:
    theirs.set_input({"A": images[0], "B": images[1], "A_paths": [""], "B_paths": [""]})
    theirs.optimize_parameters()
    found = ours.update(Batch(images[0], images[1], ("0",), ("0",)), lambda _: "")
    return max(abs(found[name] - getattr(theirs, f"loss_{LOSSES[name]}").item()) for name in found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
