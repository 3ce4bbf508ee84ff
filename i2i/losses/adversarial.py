"""Losses that come from a discriminator's logits."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Objective = Literal["bce", "lsgan", "hinge"]


class AdversarialLoss(nn.Module, ABC):
    """What generator and discriminator play for, whatever the discriminator is.

    Attributes:
        conditional: Whether the discriminator sees the input beside the output.
    """

    conditional: ClassVar[bool]

    @abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises: its loss on real plus its loss on fake images.

        Args:
            real_logits: Its logits for targets, of any shape.
            fake_logits: Its logits for outputs, of any shape.

        Returns:
            A scalar: the sum of two means, not halved.
        """

    @abstractmethod
    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        """What the generator minimises.

        Args:
            fake_logits: The discriminator's logits for outputs, of any shape.

        Returns:
            A scalar, a mean over all logits.
        """


class _ObjectiveLoss(AdversarialLoss):
    """The three objectives, with or without the condition."""

    def __init__(self, *, objective: Objective = "bce") -> None:
        super().__init__()
        if objective not in ("bce", "lsgan", "hinge"):
            raise ValueError(
                f'unknown objective {objective!r}: set objective to "bce", "lsgan" or "hinge"'
            )
        self.objective = objective

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        if self.objective == "hinge":
            return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
        return self._towards(real_logits, 1.0) + self._towards(fake_logits, 0.0)

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        if self.objective == "hinge":
            return -fake_logits.mean()
        return self._towards(fake_logits, 1.0)

    def _towards(self, logits: Tensor, label: float) -> Tensor:
        """How far logits are from a label: cross-entropy, or least squares."""
        labels = torch.full_like(logits, label)
        if self.objective == "lsgan":
            return F.mse_loss(logits, labels)
        return F.binary_cross_entropy_with_logits(logits, labels)


class CGAN(_ObjectiveLoss):
    """The conditional GAN's loss: Isola et al. 2017, equation 1.

    The discriminator sees input and output (or target) together, so it also judges whether they
    belong together. The generator maximises log D rather than minimising log(1 - D), section 3.3.

    Args:
        objective: `bce`, the paper's; `lsgan`, least squares to 1 and 0 (Mao et al. 2017, equation
            9, without its factor 1/2); `hinge` (Lim and Ye 2017; Miyato et al. 2018, equations 16
            and 17).
    """

    conditional = True


class GAN(_ObjectiveLoss):
    """The unconditional GAN's loss: Isola et al. 2017, equation 2.

    The discriminator sees the output (or target) alone. The generator maximises log D rather than
    minimising log(1 - D), section 3.3.

    Args:
        objective: `bce`, the paper's; `lsgan`, least squares to 1 and 0 (Mao et al. 2017, equation
            9, without its factor 1/2); `hinge` (Lim and Ye 2017; Miyato et al. 2018, equations 16
            and 17).
    """

    conditional = False
