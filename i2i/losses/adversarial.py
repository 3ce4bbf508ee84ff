"""Adversarial losses, computed from a discriminator's logits."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.losses.judgement import Judgement, logits_of

Objective = Literal["bce", "lsgan", "hinge"]
Scales = Literal["mean", "sum"]


class AdversarialLoss(nn.Module, ABC):
    """The base class of adversarial losses; they work with any discriminator.

    A loss says what the logits of one scale cost. Methods call `of_discriminator` and
    `of_generator`, which apply it to every scale of a discriminator.

    Attributes:
        conditional: Whether the discriminator sees the input together with the output.
        scales: Whether the loss is the mean or the sum over the scales of the discriminator.
    """

    conditional: ClassVar[bool]
    scales: Scales = "mean"

    def of_discriminator(self, real: Judgement, fake: Judgement) -> Tensor:
        """The loss of the discriminator over all scales.

        Args:
            real: What the discriminator returns for targets.
            fake: What it returns for outputs.

        Returns:
            A scalar (not halved).
        """
        pairs = zip(logits_of(real), logits_of(fake), strict=True)
        return self._over_scales([self.discriminator_loss(*pair) for pair in pairs])

    def of_generator(self, fake: Judgement) -> Tensor:
        """The loss of the generator over all scales.

        Args:
            fake: What the discriminator returns for outputs.

        Returns:
            A scalar.
        """
        return self._over_scales([self.generator_loss(logits) for logits in logits_of(fake)])

    def _over_scales(self, losses: list[Tensor]) -> Tensor:
        every = torch.stack(losses)
        return every.sum() if self.scales == "sum" else every.mean()

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The loss of the discriminator on one scale: on targets, plus on outputs.

        Args:
            real_logits: The discriminator's logits for targets, of any shape.
            fake_logits: The discriminator's logits for outputs, of any shape.

        Returns:
            A scalar, the sum of two means (not halved).
        """

    @abstractmethod
    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """The loss of the generator on one scale.

        Args:
            fake_logits: The discriminator's logits for outputs, of any shape.

        Returns:
            A scalar, a mean over all logits.
        """


class _ObjectiveLoss(AdversarialLoss):
    """The three objectives, for conditional and unconditional losses."""

    def __init__(self, *, objective: Objective = "bce", scales: Scales = "mean") -> None:
        super().__init__()
        self.scales = scales
        if objective not in ("bce", "lsgan", "hinge"):
            raise ValueError(
                f'unknown objective {objective!r}: set objective to "bce", "lsgan" or "hinge"'
            )
        self.objective = objective

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        if self.objective == "hinge":
            return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
        return self._distance(real_logits, 1.0) + self._distance(fake_logits, 0.0)

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        if self.objective == "hinge":
            return -fake_logits.mean()
        return self._distance(fake_logits, 1.0)

    def _distance(self, logits: Tensor, label: float) -> Tensor:
        """Distance of logits from a label: cross-entropy (`bce`) or squared error (`lsgan`)."""
        labels = torch.full_like(logits, label)
        if self.objective == "lsgan":
            return F.mse_loss(logits, labels)
        return F.binary_cross_entropy_with_logits(logits, labels)


class CGAN(_ObjectiveLoss):
    """The loss of a conditional GAN: Isola et al. 2017, equation 1.

    The discriminator sees the input together with the output (or target), so it also judges whether
    the two match. The generator maximises log D instead of minimising log(1 - D), section 3.3.

    Args:
        objective: `bce`, as in the paper; `lsgan`, least squares to the labels 1 and 0 (Mao et al.
            2017, equation 9, without its factor 1/2); or `hinge` (Lim and Ye 2017; Miyato et al.
            2018, equations 16 and 17).
        scales: `mean` or `sum` over the scales of a discriminator that has several.
    """

    conditional = True


class GAN(_ObjectiveLoss):
    """The loss of an unconditional GAN: Isola et al. 2017, equation 2.

    The discriminator sees the output (or target) alone. The generator maximises log D instead of
    minimising log(1 - D), section 3.3.

    Args:
        objective: `bce`, as in the paper; `lsgan`, least squares to the labels 1 and 0 (Mao et al.
            2017, equation 9, without its factor 1/2); or `hinge` (Lim and Ye 2017; Miyato et al.
            2018, equations 16 and 17).
        scales: `mean` or `sum` over the scales of a discriminator that has several.
    """

    conditional = False


def only_adversarial(
    losses: Mapping[str, tuple[nn.Module, float]],
) -> tuple[str, AdversarialLoss, float]:
    """The only loss of a recipe, for a method that takes one adversarial loss without a condition.

    Args:
        losses: The recipe's losses and their weights, by label.

    Returns:
        Its label, the loss and its weight.

    Raises:
        ValueError: If there are others, or it is another kind of loss.
    """
    (label, (loss, weight)), *others = losses.items()
    if others or not isinstance(loss, AdversarialLoss) or loss.conditional:
        raise ValueError(
            f"takes one adversarial loss without a condition, not {', '.join(losses)}: set losses "
            'to one [[losses]] with type = "gan"'
        )
    return label, loss, weight
