"""Checks of losses: of images, of a discriminator's features, and adversarial ones."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.losses.adversarial import AdversarialLoss
from i2i.losses.features import FeatureLoss
from i2i.testing.check import Check
from i2i.testing.images import pictures
from i2i.testing.networks import finite
from i2i.testing.subject import Subject

SIZE = (64, 64)

SHAPES = ((2, 1, 6, 5), (2, 1), (3,))
"""Shapes of logits that an adversarial loss must take."""

CLOSE = 1e-5
"""How far a loss of equal images may be from its minimum."""


def is_a_finite_scalar(subject: Subject) -> None:
    """The loss is one finite number, for all logits or images."""
    loss = _loss(subject)
    if isinstance(loss, AdversarialLoss):
        subject.require(
            isinstance(getattr(loss, "conditional", None), bool),
            "needs the attribute conditional: True if the discriminator sees the input too",
        )
        for shape in SHAPES:
            for level in (-50.0, 0.0, 50.0):
                logits = torch.full(shape, level)
                _scalar(subject, "discriminator_loss", loss.discriminator_loss(logits, -logits))
                _scalar(subject, "generator_loss", loss.generator_loss(logits))
    else:
        for number in (1, 2):
            output, target = (pictures(number, 3, SIZE, seed=seed) for seed in (0, 1))
            _scalar(subject, "forward", _compared(loss, output, target))


def is_differentiable(subject: Subject) -> None:
    """The loss has a finite gradient, which says where something is to be learnt."""
    loss = _loss(subject)
    if isinstance(loss, AdversarialLoss):
        _pushes_fakes_towards_real(subject, loss)
        return
    target = pictures(2, 3, SIZE, seed=1)
    for output, differs in ((pictures(2, 3, SIZE), True), (target.clone(), False)):
        value = _compared(loss, output.requires_grad_(), target)
        subject.require(value.requires_grad, "has no gradient for the output")
        (gradient,) = torch.autograd.grad(value, output)
        subject.require(finite(gradient), "has a gradient that is not finite")
        subject.require(
            not differs or bool(gradient.any()), "has a gradient of zero for an output that is off"
        )


def is_least_for_what_is_right(subject: Subject) -> None:
    """The loss is smallest for equal images, or smaller for a discriminator that is right."""
    loss = _loss(subject)
    if isinstance(loss, AdversarialLoss):
        _rewards_a_discriminator_that_is_right(subject, loss)
        return
    target = pictures(2, 3, SIZE)
    stated = float(getattr(loss, "minimum", 0.0))
    with torch.no_grad():
        least = float(_compared(loss, target.clone(), target))
        others = [
            _compared(loss, other, target) for other in (pictures(2, 3, SIZE, seed=1), target * 0.9)
        ]
    subject.require(
        abs(least - stated) <= CLOSE,
        f"is {least:.3g} for equal images: it must be 0, or what its attribute 'minimum' says "
        f"(now {stated:.3g})",
    )
    for other in others:
        subject.require(
            float(other) >= least - CLOSE,
            f"is smaller for different images ({float(other):.3g}) than for equal ones "
            f"({least:.3g})",
        )


def _rewards_a_discriminator_that_is_right(subject: Subject, loss: AdversarialLoss) -> None:
    for shape in SHAPES:
        high, low = torch.full(shape, 2.0), torch.full(shape, -2.0)
        right = float(loss.discriminator_loss(high, low))
        wrong = float(loss.discriminator_loss(low, high))
        subject.require(
            right < wrong,
            f"is not smaller for a discriminator that is right ({right:.3g}) than for one that is "
            f"wrong ({wrong:.3g}): real logits must be driven up, and fake ones down",
        )


def _pushes_fakes_towards_real(subject: Subject, loss: AdversarialLoss) -> None:
    for shape in SHAPES:
        logits = torch.full(shape, -0.5, requires_grad=True)
        value = loss.generator_loss(logits)
        subject.require(value.requires_grad, "has no gradient for the generator")
        (gradient,) = torch.autograd.grad(value, logits)
        subject.require(
            finite(gradient) and bool((gradient < 0).all()),
            "doesn't push outputs towards real: generator_loss() must fall when logits rise",
        )


def _compared(loss: Any, output: Tensor, target: Tensor) -> Any:
    """The loss of two batches, or of features made of them."""
    if isinstance(loss, FeatureLoss):
        return loss(_features(output), _features(target))
    return loss(output, target)


def _features(images: Tensor) -> list[list[Tensor]]:
    """What a discriminator of two scales with two layers could give."""
    halves, quarters = F.avg_pool2d(images, 2), F.avg_pool2d(images, 4)
    return [[images, halves], [halves, quarters]]


def _loss(subject: Subject) -> Any:
    loss = subject.build()
    subject.require(
        isinstance(loss, nn.Module),
        f"is no loss: register a subclass of torch.nn.Module, not {loss!r}",
    )
    return loss


def _scalar(subject: Subject, where: str, value: object) -> None:
    what = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
    subject.require(
        isinstance(value, Tensor) and value.ndim == 0,
        f"returns {what} from {where}(): a loss is a scalar tensor",
    )
    assert isinstance(value, Tensor)
    subject.require(finite(value), f"returns {float(value)} from {where}(): a loss is finite")


CHECKS = (
    Check("finite scalar", is_a_finite_scalar),
    Check("gradient", is_differentiable),
    Check("minimum", is_least_for_what_is_right),
)
