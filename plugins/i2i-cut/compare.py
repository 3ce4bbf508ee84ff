"""Compare the plugin with the authors' code: the same weights must give the same numbers.

    git clone https://github.com/taesungp/contrastive-unpaired-translation peer
    python plugins/i2i-cut/compare.py --peer peer

Only the peer's networks and its loss are imported. The steps of its `cut_model.py` are repeated
here in its order, on its networks. All is computed in double precision: Adam's first step has the
sign of each gradient, and of its rounding error if there is no gradient.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from i2i_cut.fast import FastCUT
from i2i_cut.method import CUT
from torch import Tensor, nn

import i2i
from i2i.recipe import parse_recipe
from i2i.recipe.assemble import assemble_losses, assemble_method

OUTPUTS, LOSSES = 1e-5, 1e-4
"""Allowed differences."""

ADAM: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999)}

LAYERS = [0, 4, 8, 12, 16]


class Peer:
    """The authors' networks, with the weights of ours.

    Args:
        folder: A clone of the authors' repository.
        method: Ours.
        size: Images in a batch.
    """

    def __init__(self, folder: Path, method: CUT, size: int) -> None:
        networks, nce = _modules(folder)
        self.method = method
        norm = networks.get_norm_layer("instance")
        self.generator = networks.ResnetGenerator(3, 3, 64, norm_layer=norm, n_blocks=9)
        self.discriminator = networks.NLayerDiscriminator(3, 64, n_layers=3, norm_layer=norm)
        self.features = networks.PatchSampleF(use_mlp=True, init_type="xavier", nc=256)
        with torch.no_grad():
            image = torch.zeros(1, 3, 64, 64)
            self.features(self.generator(image, LAYERS, encode_only=True), 1, None)
        self.gan = networks.GANLoss("lsgan")
        options = {"nce_includes_all_negatives_from_minibatch": False, "nce_T": 0.07}
        self.nce = nce.PatchNCELoss(SimpleNamespace(**options, batch_size=size))
        for name, network in self.networks.items():
            _copy(method.networks[name].double(), network.double())

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The networks by our names."""
        return {
            "generator": self.generator,
            "features": self.features,
            "discriminator": self.discriminator,
        }

    def step(self, batch: i2i.Batch, flipped: bool) -> dict[str, float]:
        """One step of `cut_model.py` with our draws; the losses by our names."""
        identity = self.method.identity
        real = torch.cat([batch.input, batch.target]) if identity else batch.input
        made = self.generator(real.flip(3) if flipped else real)
        fake, same = made[: len(batch.input)], made[len(batch.input) :]
        mover = torch.optim.Adam(self.discriminator.parameters(), **ADAM)
        judged = self.discriminator(fake.detach()), self.discriminator(batch.target)
        losses = {"discriminator": 0.5 * (self.gan(judged[0], False) + self.gan(judged[1], True))}
        losses["discriminator"].backward()
        mover.step()
        losses["gan"] = self.gan(self.discriminator(fake), True)
        weight = self.method.nce_weight * (0.5 if identity else 1.0)
        losses["nce"] = weight * self._contrast(batch.input, fake, flipped)
        if identity:
            losses["nce.identity"] = weight * self._contrast(batch.target, same, flipped)
        own = [*self.generator.parameters(), *self.features.parameters()]
        mover = torch.optim.Adam(own, **ADAM)
        mover.zero_grad()
        torch.stack([losses[name] for name in losses if name != "discriminator"]).sum().backward()
        mover.step()
        return {name: loss.item() for name, loss in losses.items()}

    def _contrast(self, source: Tensor, output: Tensor, flipped: bool) -> Tensor:
        queries = self.generator(output, LAYERS, encode_only=True)
        if flipped:
            queries = [layer.flip(3) for layer in queries]
        keys = self.generator(source, LAYERS, encode_only=True)
        places = [each.numpy() for each in self.method.draws.places(keys, 256)]
        pooled = [self.features(each, 256, places)[0] for each in (queries, keys)]
        losses = [self.nce(q, k).mean() for q, k in zip(*pooled, strict=True)]
        return torch.stack(losses).mean()


def ours(method: CUT, batch: i2i.Batch) -> dict[str, float]:
    """One step of our method, as the trainer does it; the losses by name."""
    played = method.play(batch)
    found = {}
    for movers in method.rounds:
        for player, terms in method.losses(movers, batch, played).items():
            own = [p for name in method.players[player] for p in method.networks[name].parameters()]
            optimizer = torch.optim.Adam(own, **ADAM)
            torch.autograd.backward(torch.stack(list(terms.values())).sum(), inputs=own)
            optimizer.step()
            optimizer.zero_grad()
            found |= {name: term.item() for name, term in terms.items()}
    return found


def differences(
    folder: Path, kind: str, size: int, side: int
) -> Iterator[tuple[str, float, float]]:
    """What is compared, the difference, and the allowed one."""
    torch.manual_seed(0)
    method = _method(kind, side)
    peer = Peer(folder, method, size)
    images = [torch.rand(size, 3, side, side, dtype=torch.double) * 2 - 1 for _ in range(2)]
    batch = i2i.Batch(images[0], images[1], ("image",) * size)
    with torch.no_grad():
        for name in ("generator", "discriminator"):
            yield name, _gap(method.networks[name], peer.networks[name], batch.input), OUTPUTS
        maps = method.networks["generator"](batch.input, LAYERS)
        theirs = peer.generator(batch.input, LAYERS, encode_only=True)
        yield "layers", _largest(maps, theirs), OUTPUTS
        places = method.draws.places(maps, 256)
        embedded = [e.flatten(0, 1) for e in method.networks["features"](maps, places)]
        theirs, _ = peer.features(theirs, 256, [each.numpy() for each in places])
        yield "features", _largest(embedded, theirs), OUTPUTS
    flipped = method.flip_equivariance and method.draws.flip()
    expected = peer.step(batch, flipped)
    found = ours(method, batch)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        yield f"loss {name} = {value:.6f}", abs(value - expected[name]), LOSSES
    with torch.no_grad():
        gap = _gap(method.networks["generator"], peer.generator, batch.input)
    yield "generator after the step", gap, OUTPUTS


def _method(kind: str, side: int) -> CUT:
    document: dict[str, Any] = {
        "name": "compare",
        "seed": 2 if kind == "fastcut" else 0,  # with seed 2, the first step is mirrored
        "data": {"type": "synthetic", "paired": False},
        "augment": {"crop_size": side, "load_size": side},
        "method": {"type": kind},
        "losses": [{"type": "gan", "objective": "lsgan"}],
    }
    recipe = parse_recipe(document)
    method = assemble_method(recipe, (3, 3), assemble_losses(recipe))
    assert isinstance(method, CUT)
    assert isinstance(method, FastCUT) == (kind == "fastcut")
    return method


def _modules(folder: Path) -> tuple[ModuleType, ModuleType]:
    """The peer's `models.networks` and `models.patchnce`, without its package's other imports."""
    package = ModuleType("peer_models")
    package.__path__ = [str(folder / "models")]
    sys.modules["peer_models"] = package
    sys.path.insert(0, str(folder))
    return (
        importlib.import_module("peer_models.networks"),
        importlib.import_module("peer_models.patchnce"),
    )


def _copy(source: nn.Module, target: nn.Module) -> None:
    with torch.no_grad():
        for ours, theirs in zip(source.parameters(), target.parameters(), strict=True):
            assert ours.shape == theirs.shape
            theirs.copy_(ours)


def _gap(first: nn.Module, second: nn.Module, images: Tensor) -> float:
    return (first(images) - second(images)).abs().max().item()


def _largest(first: Any, second: Any) -> float:
    return max((a - b).abs().max().item() for a, b in zip(first, second, strict=True))


def main() -> int:
    """Print all differences; return 1 if one is too large."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", type=Path, required=True, help="a clone of the authors' code")
    parser.add_argument("--size", type=int, default=2, help="images in a batch")
    parser.add_argument("--side", type=int, default=64, help="height and width of the images")
    arguments = parser.parse_args()
    failed = False
    for kind in ("cut", "fastcut"):
        for what, gap, allowed in differences(arguments.peer, kind, arguments.size, arguments.side):
            failed |= not gap <= allowed
            line = f"{kind:<8} {what:<32} {gap:.2e}  (allowed {allowed:.0e})"
            print(line)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
