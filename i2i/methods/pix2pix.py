"""Pix2Pix: a generator, any number of losses, and a discriminator for each adversarial one."""

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol, runtime_checkable

import torch
from annotated_types import Gt
from torch import Tensor, nn

from i2i.batch import Batch
from i2i.losses.adversarial import AdversarialLoss
from i2i.methods.method import Method, Terms

WeightedLosses = Mapping[str, tuple[nn.Module, float]]
"""Losses and their weights by label."""


class Pix2Pix(Method):
    """Image-to-image translation with conditional adversarial networks.

    Isola, Zhu, Zhou, Efros, CVPR 2017, section 3. The objective is the weighted sum of the losses;
    an adversarial loss is played against its own discriminator, which sees the input beside the
    output where the loss is conditional, and the output alone where it isn't. Without any
    adversarial loss the generator is alone.

    Args:
        generator: Maps inputs to outputs.
        discriminators: One for each adversarial loss, by the loss's label.
        losses: All losses with their weights, by label.
        adversarial_gradient: Where the generator's adversarial gradient is taken: `after` the
            discriminator's update, as the paper's algorithm reads; or `before` it, from the same
            activations, as in the original release, which saves a pass through the discriminator.
        discriminator_weight: What the discriminator's loss is multiplied with; the paper halves it.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminators: Mapping[str, nn.Module],
        losses: WeightedLosses,
        *,
        adversarial_gradient: Literal["after", "before"] = "after",
        discriminator_weight: Annotated[float, Gt(0)] = 0.5,
    ) -> None:
        self.networks = {"generator": generator} | {
            _network(label): network for label, network in discriminators.items()
        }
        self.adversarial: dict[str, tuple[AdversarialLoss, float]] = {}
        self.reconstruction: dict[str, tuple[nn.Module, float]] = {}
        for label, (loss, weight) in losses.items():
            if isinstance(loss, AdversarialLoss):
                self.adversarial[label] = loss, weight
            else:
                self.reconstruction[label] = loss, weight
        self.discriminator_weight = discriminator_weight
        self.players = {"generator": ("generator",)}
        self.rounds: tuple[tuple[str, ...], ...] = (("generator",),)
        if self.adversarial:
            self.players |= {"discriminator": tuple(map(_network, self.adversarial))}
            self.rounds = (
                (("discriminator",), ("generator",))
                if adversarial_gradient == "after"
                else (("discriminator", "generator"),)
            )

    def translate(self, batch: Batch) -> Tensor:
        """The generator's output for a batch, `(N, C, H, W)` in [−1, 1]."""
        output: Tensor = self.networks["generator"](batch.input)
        return output

    def losses(self, movers: tuple[str, ...], batch: Batch, output: Tensor) -> dict[str, Terms]:
        """The terms of each player of a round, see `Method.losses`."""
        terms: dict[str, Terms] = {player: {} for player in movers}
        if "generator" not in movers:
            output = output.detach()
        for label, (loss, weight) in self.adversarial.items():
            discriminator = self.networks[_network(label)]
            fakes = _shown(loss, batch.input, output)
            if "discriminator" in movers:
                reals = _shown(loss, batch.input, batch.target)
                if "generator" in movers:  # whose gradient has no business in the reals' pass
                    fake, real = discriminator(fakes), discriminator(reals)
                else:
                    fake, real = _judged(discriminator, fakes, reals)
                value = loss.discriminator_loss(real, fake)
                terms["discriminator"][_network(label)] = self.discriminator_weight * value
            else:
                fake = discriminator(fakes)
            if "generator" in movers:
                terms["generator"][label] = weight * loss.generator_loss(fake)
        if "generator" in movers:
            for label, (distance, weight) in self.reconstruction.items():
                terms["generator"][label] = weight * distance(output, batch.target)
        return terms


@runtime_checkable
class JudgesSeveral(Protocol):
    """A discriminator that can judge several batches in one pass, each as if it were alone."""

    def judge(self, *batches: Tensor) -> tuple[Tensor, ...]:
        """The logits of each batch."""
        ...


def _judged(discriminator: nn.Module, fakes: Tensor, reals: Tensor) -> tuple[Tensor, ...]:
    """Both batches' logits, in one pass where the discriminator can and isn't wrapped."""
    if issubclass(type(discriminator), JudgesSeveral):
        return discriminator.judge(fakes, reals)  # type: ignore[operator, no-any-return]
    return discriminator(fakes), discriminator(reals)


def _network(label: str) -> str:
    return f"discriminator.{label}"


def _shown(loss: AdversarialLoss, condition: Tensor, image: Tensor) -> Tensor:
    return torch.cat([condition, image], dim=1) if loss.conditional else image
