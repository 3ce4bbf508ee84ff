"""CycleGAN: two generators that undo each other, and a discriminator for each side."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import torch.nn.functional as F
from annotated_types import Ge, Gt
from torch import Tensor

import i2i
from i2i_cyclegan.passes import at_once
from i2i_cyclegan.pool import Pool

SIDES = ("target", "input")
"""The images that the generator and the inverse generate."""


class Played(NamedTuple):
    """What the generators make of a batch; each field is named by the side it should look like.

    Args:
        fakes: The translated images: targets of the inputs, and inputs of the targets.
        cycles: The fakes, translated back.
        same: The batch's own images of a side, through the generator that translates to this side;
            empty without the identity loss.
    """

    fakes: dict[str, Tensor]
    cycles: dict[str, Tensor]
    same: dict[str, Tensor]


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

    def play(self, batch: i2i.Batch) -> Played:
        """Translate the batch both ways, back again, and to the side where it is already.

        A network gets as many images at once as it can: on a CPU, this is faster.
        """
        generator, inverse = self.networks["generator"], self.networks["inverse"]
        own = bool(self.identity_weight)
        fake_target, *same_target = at_once(generator, batch.input, *[batch.target] * own)
        fake_input, cycle_input, *same_input = at_once(
            inverse, batch.target, fake_target, *[batch.input] * own
        )
        return Played(
            {"target": fake_target, "input": fake_input},
            {"target": generator(fake_input), "input": cycle_input},
            {"target": same_target[0], "input": same_input[0]} if own else {},
        )

    def losses(
        self, movers: tuple[str, ...], batch: i2i.Batch, played: Played
    ) -> dict[str, i2i.Terms]:
        """The losses of the generators or of the discriminators, see `i2i.Method.losses`."""
        reals = {"target": batch.target, "input": batch.input}
        if "generator" in movers:
            return {"generator": self._generator_terms(reals, played)}
        return {"discriminator": self._discriminator_terms(reals, played.fakes)}

    def _generator_terms(self, reals: Mapping[str, Tensor], played: Played) -> i2i.Terms:
        adversarial = {
            f"{self.label}.{side}": self.weight
            * self.loss.of_generator(self.networks[f"discriminator.{side}"](fake))
            for side, fake in played.fakes.items()
        }
        cycles = {
            f"cycle.{side}": self.cycle_weight * F.l1_loss(cycle, reals[side])
            for side, cycle in played.cycles.items()
        }
        identities = {
            f"identity.{side}": self.identity_weight * F.l1_loss(same, reals[side])
            for side, same in played.same.items()
        }
        return adversarial | cycles | identities

    def _discriminator_terms(
        self, reals: Mapping[str, Tensor], fakes: Mapping[str, Tensor]
    ) -> i2i.Terms:
        terms = {}
        for side, fake in fakes.items():
            seen = i2i.over_all_ranks(fake, self.pools[side].exchanged)
            judged = at_once(self.networks[f"discriminator.{side}"], reals[side], seen)
            terms[f"discriminator.{side}"] = 0.5 * self.loss.of_discriminator(*judged)
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
