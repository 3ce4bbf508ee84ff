"""Losses, good ones and others that break one rule."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import i2i


class Loss(nn.Module):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs().mean()


class Map(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs()


class Number(Loss):
    def forward(self, output: Tensor, target: Tensor) -> float:
        return float(super().forward(output, target))


class NotFinite(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).log().mean()


class Detached(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return super().forward(output.detach(), target)


class RootOfMean(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean().sqrt()


class Rounded(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return super().forward(output.round(), target.round())


class Offset(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return super().forward(output, target) + 1


class Negative(Loss):
    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return -super().forward(output, target)


class Adversarial(i2i.AdversarialLoss):
    conditional = False

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        return F.softplus(-fake_logits).mean()


class Unconditional(Adversarial):
    conditional = None


class LogOfZero(Adversarial):
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return -torch.log(real_logits.sigmoid() * (1 - fake_logits.sigmoid())).mean()


class Swapped(Adversarial):
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return super().discriminator_loss(fake_logits, real_logits)


class Minimax(Adversarial):
    """Of the wrong sign: it must be minimised, not maximised."""

    def generator_loss(self, fake_logits: Tensor) -> Tensor:
        return F.softplus(fake_logits).mean()


LOSSES = (
    ("finite scalar", Map, "returns (1, 3, 64, 64) from forward(): a loss is a scalar tensor"),
    ("finite scalar", Number, "returns float from forward(): a loss is a scalar tensor"),
    ("finite scalar", NotFinite, "returns nan from forward(): a loss is finite"),
    ("finite scalar", Unconditional, "needs the attribute conditional"),
    ("finite scalar", LogOfZero, "returns inf from discriminator_loss(): a loss is finite"),
    ("gradient", Detached, "has no gradient for the output"),
    ("gradient", RootOfMean, "has a gradient that is not finite"),
    ("gradient", Rounded, "has a gradient of zero for an output that is off"),
    ("gradient", Minimax, "doesn't push outputs towards real"),
    ("minimum", Offset, "is 1 for equal images: it must be 0, or what its attribute 'minimum'"),
    ("minimum", Negative, "is smaller for different images"),
    ("minimum", Swapped, "is not smaller for a discriminator that is right"),
)
