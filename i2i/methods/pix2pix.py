"""Pix2Pix: a generator, any number of losses, and a discriminator for each adversarial loss."""

from collections.abc import Collection
from contextlib import nullcontext
from typing import Annotated, Literal, Protocol, runtime_checkable

import torch
from annotated_types import Gt
from torch import Tensor, nn

from i2i.batch import Batch
from i2i.losses.adversarial import AdversarialLoss
from i2i.losses.features import FeatureLoss
from i2i.losses.judgement import Judgement
from i2i.methods.method import Method, Terms, WeightedLosses
from i2i.methods.networks import NetworkFactory


class Pix2Pix(Method):
    """Image-to-image translation with conditional adversarial networks.

    Isola, Zhu, Zhou, Efros, CVPR 2017, section 3. The generator minimises the weighted sum of all
    losses. Each adversarial loss has its own discriminator: it sees input and output together if
    the loss is conditional, else the output alone. Without an adversarial loss, only the generator
    is trained. Losses on a discriminator's features use what it returns for an adversarial loss; in
    the order `after` it judges the targets once more for them.

    Args:
        networks: Builds the generator and the discriminators.
        losses: All losses with their weights, by label.
        adversarial_gradient: When the generator's adversarial gradient is computed. `after` the
            discriminator's update, as in the paper's algorithm; or `before` it, from the same
            activations, as in the original release, which saves a pass through the discriminator.
        discriminator_weight: Factor of the discriminator's loss; the paper halves the loss.

    Raises:
        ValueError: If it is not clear whose features a loss compares.
    """

    def __init__(
        self,
        networks: NetworkFactory,
        losses: WeightedLosses,
        *,
        adversarial_gradient: Literal["after", "before"] = "after",
        discriminator_weight: Annotated[float, Gt(0)] = 0.5,
    ) -> None:
        self.networks = {"generator": networks.generator()}
        self.adversarial: dict[str, tuple[AdversarialLoss, float]] = {}
        self.features: dict[str, tuple[FeatureLoss, float]] = {}
        self.reconstruction: dict[str, tuple[nn.Module, float]] = {}
        for label, (loss, weight) in losses.items():
            if isinstance(loss, AdversarialLoss):
                self.adversarial[label] = loss, weight
                channels = networks.target_channels
                channels += networks.input_channels if loss.conditional else 0
                self.networks[_network(label)] = networks.discriminator(
                    _network(label), channels, loss=label
                )
            elif isinstance(loss, FeatureLoss):
                self.features[label] = loss, weight
            else:
                self.reconstruction[label] = loss, weight
        self.judges = {
            label: _judge_of(label, loss, self.adversarial)
            for label, (loss, _) in self.features.items()
        }
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

    def play(self, batch: Batch) -> Tensor:
        """The generator's output for a batch, `(N, C, H, W)` in [−1, 1]."""
        output: Tensor = self.networks["generator"](batch.input)
        return output

    def losses(self, movers: tuple[str, ...], batch: Batch, played: Tensor) -> dict[str, Terms]:
        """The losses of each player of a round, see `Method.losses`."""
        terms: dict[str, Terms] = {player: {} for player in movers}
        output = played if "generator" in movers else played.detach()
        for label, (loss, weight) in self.adversarial.items():
            fake, real = self._judged(label, movers, batch, output)
            if "discriminator" in movers:
                value = loss.of_discriminator(real, fake)
                terms["discriminator"][_network(label)] = self.discriminator_weight * value
            if "generator" in movers:
                terms["generator"][label] = weight * loss.of_generator(fake)
                for name, (matching, factor) in self.features.items():
                    if self.judges[name] == label:
                        terms["generator"][name] = factor * matching.of_generator(fake, real)
        if "generator" in movers:
            for label, (distance, weight) in self.reconstruction.items():
                terms["generator"][label] = weight * distance(output, batch.target)
        return terms

    def _judged(
        self, label: str, movers: tuple[str, ...], batch: Batch, output: Tensor
    ) -> tuple[Judgement, Judgement]:
        """What the discriminator of a loss says of outputs and, if a loss needs it, of targets."""
        loss, _ = self.adversarial[label]
        discriminator = self.networks[_network(label)]
        fakes = _discriminator_input(loss, batch.input, output)
        trained = "discriminator" in movers
        if not trained and label not in self.judges.values():
            return discriminator(fakes), []
        reals = _discriminator_input(loss, batch.input, batch.target)
        if "generator" not in movers:
            return _judge_both(discriminator, fakes, reals)
        # The generator's backward pass must not go through the real images: judge them apart.
        fake = discriminator(fakes)
        with nullcontext() if trained else torch.no_grad():
            return fake, discriminator(reals)


@runtime_checkable
class JudgesSeveral(Protocol):
    """A discriminator that computes several batches in one pass, with the results of separate ones.

    This matters for batch norm: each batch must be normalised with its own statistics.
    """

    def judge(self, *batches: Tensor) -> tuple[Judgement, ...]:
        """What `forward` returns, for each batch."""
        ...


def _judge_both(
    discriminator: nn.Module, fakes: Tensor, reals: Tensor
) -> tuple[Judgement, Judgement]:
    """The judgements of both batches, in one pass if the discriminator can and is not wrapped."""
    if issubclass(type(discriminator), JudgesSeveral):
        return discriminator.judge(fakes, reals)  # type: ignore[operator, no-any-return]
    return discriminator(fakes), discriminator(reals)


def _network(label: str) -> str:
    return f"discriminator.{label}"


def _discriminator_input(loss: AdversarialLoss, condition: Tensor, image: Tensor) -> Tensor:
    """The image, with the condition's channels before it if the loss is conditional."""
    return torch.cat([condition, image], dim=1) if loss.conditional else image


def _judge_of(label: str, loss: FeatureLoss, adversarial: Collection[str]) -> str:
    """The label of the adversarial loss whose discriminator a loss on features looks into.

    Raises:
        ValueError: If there is none, or several and the loss names none of them.
    """
    if not adversarial:
        raise ValueError(
            f"the loss '{label}' compares features of a discriminator: add an adversarial loss, "
            "such as 'cgan'"
        )
    known = ", ".join(f"'{name}'" for name in adversarial)
    if loss.adversarial is not None:
        if loss.adversarial in adversarial:
            return loss.adversarial
        raise ValueError(
            f"the loss '{label}' names the adversarial loss '{loss.adversarial}', but there is "
            f"only {known}"
        )
    if len(adversarial) > 1:
        raise ValueError(
            f"the loss '{label}' compares features of one discriminator: set its key adversarial "
            f"to one of {known}"
        )
    return next(iter(adversarial))
