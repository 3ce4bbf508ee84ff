"""CycleGAN: two generators that undo each other, and a discriminator for each side."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor

import i2i
from i2i_cyclegan.pool import Pool

SIDES = ("target", "input")
"""The images that the generator and the inverse generate."""


class Fakes(NamedTuple):
    """What the generators make of a batch: targets of the inputs, and inputs of the targets."""

    target: Tensor
    input: Tensor


class CycleGAN(i2i.Method):
    """Translation between unpaired images: Zhu et al. 2017, section 3.

    `generator` translates inputs to targets, and `inverse` back. Each has a discriminator, which
    also judges earlier outputs from a pool. Two cycles, from input to input and from target to
    target, must return to where they began. The generators move first, together, then the
    discriminators, whose loss is halved (section 4 and the authors' code).

    Args:
        networks: Builds the four networks.
        losses: One adversarial loss, without a condition.
        seed: Seed of the pools' draws.
        cycle_weight: Weight of both cycles' L1 distances.
        identity_weight: Weight of the L1 distance between a generator's output for an image of the
            side that it translates to, and this image (section 5.2). It needs equal channels.
        pool_size: Number of earlier outputs that a discriminator's pool stores; 0 for no pool.

    Raises:
        ValueError: If there is another loss, or inputs and targets have different channels and
            `identity_weight` is not 0.
    """

    paired = False
    models: Mapping[str, i2i.Direction] = {"generator": "forward", "inverse": "backward"}
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "augment": {"crop_size": 256, "load_size": 286, "flip": True},
        "generator": {"type": "resnet"},
        "discriminator": {"type": "patch", "norm": "plain_instance"},
        "schedule": {"type": "linear", "decay_from": 0.5},
    }
    example_options: ClassVar[Mapping[str, Any]] = {"pool_size": 3}
    example_recipe: ClassVar[Mapping[str, Any]] = {"losses": [{"type": "gan"}]}

    def __init__(
        self,
        networks: i2i.NetworkFactory,
        losses: i2i.WeightedLosses,
        seed: int,
        *,
        cycle_weight: Annotated[float, Gt(0)] = 10.0,
        identity_weight: Annotated[float, Ge(0)] = 5.0,
        pool_size: Annotated[int, Ge(0)] = 50,
    ) -> None:
        inputs, targets = networks.input_channels, networks.target_channels
        if identity_weight and inputs != targets:
            raise ValueError(
                f"the identity loss needs inputs and targets of equal channels, not {inputs} and "
                f"{targets}: set method.identity_weight = 0"
            )
        self.label, self.loss, self.weight = i2i.only_adversarial(losses)
        self.networks = {
            "generator": networks.generator("generator"),
            "inverse": networks.generator("inverse", targets, inputs),
            "discriminator.target": networks.discriminator(
                "discriminator.target", targets, loss=self.label
            ),
            "discriminator.input": networks.discriminator(
                "discriminator.input", inputs, loss=self.label
            ),
        }
        self.players = {
            "generator": ("generator", "inverse"),
            "discriminator": ("discriminator.target", "discriminator.input"),
        }
        self.rounds = (("generator",), ("discriminator",))
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.pools = {side: Pool(pool_size, (seed, i)) for i, side in enumerate(SIDES)}

    def play(self, batch: i2i.Batch) -> Fakes:
        """Translate the batch both ways."""
        return Fakes(
            self.networks["generator"](batch.input), self.networks["inverse"](batch.target)
        )

    def losses(
        self, movers: tuple[str, ...], batch: i2i.Batch, played: Fakes
    ) -> dict[str, i2i.Terms]:
        """The losses of the generators or of the discriminators, see `i2i.Method.losses`."""
        if "generator" in movers:
            return {"generator": self._generator_terms(batch, played)}
        return {"discriminator": self._discriminator_terms(batch, played)}

    def _generator_terms(self, batch: i2i.Batch, fakes: Fakes) -> i2i.Terms:
        generator, inverse = self.networks["generator"], self.networks["inverse"]
        terms = {
            f"{self.label}.{side}": self.weight
            * self.loss.generator_loss(self.networks[f"discriminator.{side}"](fake))
            for side, fake in zip(SIDES, fakes, strict=True)
        }
        cycles = {
            "input": F.l1_loss(inverse(fakes.target), batch.input),
            "target": F.l1_loss(generator(fakes.input), batch.target),
        }
        terms |= {f"cycle.{side}": self.cycle_weight * each for side, each in cycles.items()}
        if self.identity_weight:
            same = {
                "target": F.l1_loss(generator(batch.target), batch.target),
                "input": F.l1_loss(inverse(batch.input), batch.input),
            }
            terms |= {f"identity.{side}": self.identity_weight * d for side, d in same.items()}
        return terms

    def _discriminator_terms(self, batch: i2i.Batch, fakes: Fakes) -> i2i.Terms:
        terms = {}
        reals = Fakes(batch.target, batch.input)
        for side, real, fake in zip(SIDES, reals, fakes, strict=True):
            network = self.networks[f"discriminator.{side}"]
            seen = i2i.over_all_ranks(fake, self.pools[side].exchanged)
            loss = self.loss.discriminator_loss(network(real), network(seen))
            terms[f"discriminator.{side}"] = 0.5 * loss
        return terms

    def state_dict(self) -> dict[str, Tensor]:
        """The images in both pools, and the numbers of images that they have seen."""
        return {
            f"{side}.{name}": tensor
            for side, pool in self.pools.items()
            for name, tensor in pool.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` returned."""
        device = next(self.networks["generator"].parameters()).device
        for side, pool in self.pools.items():
            own = {name: state[f"{side}.{name}"] for name in pool.state_dict()}
            pool.load_state_dict(own, device)
