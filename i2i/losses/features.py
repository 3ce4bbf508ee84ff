"""Losses on the features that a discriminator computes."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.errors import RecipeError
from i2i.losses.judgement import Features, Judgement, features_of


class FeatureLoss(nn.Module, ABC):
    """The base class of losses that compare a discriminator's features of outputs and targets.

    Only the generator minimises them. They need an adversarial loss, and a discriminator that gives
    its features, such as `multiscale`.

    Attributes:
        adversarial: The label of the adversarial loss whose discriminator is meant; None if there
            is only one.
    """

    adversarial: str | None = None

    @abstractmethod
    def forward(self, output_features: Features, target_features: Features) -> Tensor:
        """Compare the features of two batches.

        Args:
            output_features: For each scale of the discriminator, the feature maps of its layers.
            target_features: Maps of the same shapes, without a gradient.

        Returns:
            A scalar.
        """

    def of_generator(self, fake: Judgement, real: Judgement) -> Tensor:
        """The loss of the generator, from all that a discriminator returns.

        Args:
            fake: What the discriminator returns for outputs.
            real: What it returns for targets; no gradient flows through it.

        Returns:
            A scalar, the result of `forward`.

        Raises:
            RecipeError: If the discriminator gives no features.
        """
        outputs, targets = features_of(fake), features_of(real)
        if not all(outputs):
            raise RecipeError(
                [
                    f"the loss {type(self).__name__} compares features of a discriminator, which "
                    "gives only logits: set discriminator.type to one that gives features, such as "
                    '"multiscale", or remove the loss'
                ]
            )
        loss: Tensor = self(outputs, [[map_.detach() for map_ in scale] for scale in targets])
        return loss


class FeatureMatching(FeatureLoss):
    """Mean absolute difference of a discriminator's features: Wang et al. 2018, equation 4.

    It is the mean over the values of each layer, then over the layers, then over the scales. The
    authors' code has 4 times the mean over the layers, with a weight of 10: a `weight` of 40 here.

    Args:
        adversarial: The label of the adversarial loss whose discriminator is meant. It is only
            needed if there are several.
    """

    def __init__(self, *, adversarial: str | None = None) -> None:
        super().__init__()
        self.adversarial = adversarial

    def forward(self, output_features: Features, target_features: Features) -> Tensor:
        """Compare the features of two batches, see `FeatureLoss.forward`."""
        scales = [
            torch.stack([F.l1_loss(o, t) for o, t in zip(outputs, targets, strict=True)]).mean()
            for outputs, targets in zip(output_features, target_features, strict=True)
        ]
        return torch.stack(scales).mean()
