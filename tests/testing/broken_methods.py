"""Methods, a good one and others that break one rule.

Processes import them from here, so the rules of a module apply: no class is made in a function.
"""

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

import i2i


class Method(i2i.Method):
    """Regression."""

    example_recipe: ClassVar[Mapping[str, Any]] = {"losses": [{"type": "l1"}]}

    def __init__(self, networks: i2i.NetworkFactory) -> None:
        self.networks = {"generator": networks.generator()}
        self.players = {"generator": ("generator",)}
        self.rounds = (("generator",),)

    def play(self, batch: i2i.Batch) -> Tensor:
        return self.networks["generator"](batch.input)

    def losses(
        self, movers: tuple[str, ...], batch: i2i.Batch, played: Tensor
    ) -> dict[str, i2i.Terms]:
        return {"generator": {"loss": self.loss(played, batch.target)}}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs().mean()


class NoPlayer(Method):
    def __init__(self, networks: i2i.NetworkFactory) -> None:
        super().__init__(networks)
        self.networks["features"] = networks.build("features", lambda: networks.generator("other"))


class PlainState(Method):
    def state_dict(self) -> dict[str, Any]:
        return {"steps": 3}


class Untrainable(Method):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs()


class Forgetful(Method):
    steps = 0

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        self.steps += 1
        return self.steps * super().loss(output, target)


class Unseeded(Method):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return np.random.default_rng().uniform(1, 2) * super().loss(output, target)


class Sum(Method):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs().sum()


class ByRank(Method):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return super().loss(output, -target if os.environ.get("RANK") == "1" else target)


METHODS = (
    ("contract", NoPlayer, "the network 'features' belongs to no player; name it in players"),
    ("contract", PlainState, "state_dict() must have plain tensors by name; 'steps' is 3"),
    ("exact resume", Untrainable, "can't be trained: "),
    ("exact resume", Forgetful, "doesn't resume exactly"),
    ("exact resume", Unseeded, "all random numbers must be torch's or follow from the seed"),
    ("accumulation", Sum, "losses must be means over the images of a batch"),
    ("two processes", ByRank, "gives 'generator' other weights in two processes"),
)
