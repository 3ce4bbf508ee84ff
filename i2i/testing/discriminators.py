"""Checks of discriminators: logits, gradients, and the judgement of several batches at once."""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn

from i2i.methods.pix2pix import JudgesSeveral
from i2i.testing.check import Check
from i2i.testing.images import pictures
from i2i.testing.networks import built, check_gradients, finite
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import Subject, seeded

CHANNELS = (3, 6, 1)
"""Channels that a discriminator is built for: of a target, and of input and target together."""

CLOSE = 1e-5
"""Largest difference between logits of `judge` and those of separate calls."""


def gives_logits(subject: Subject) -> None:
    """Every image has finite logits."""
    for channels in CHANNELS:
        network, size = built(subject, in_channels=channels)
        for number in (1, 2):
            logits = _judged(subject, network, pictures(number, channels, size))
            subject.require(
                logits.ndim > 0 and logits.shape[0] == number and logits.numel() > 0,
                f"returns logits of {tuple(logits.shape)} for {number} images: the first dimension "
                "must be the batch",
            )
            subject.require(finite(logits), "returns logits that are not finite")


def passes_gradients(subject: Subject) -> None:
    """Gradients reach the image, which trains the generator, and all trained parameters."""
    network, size = built(subject, in_channels=3)
    image = pictures(2, 3, size).requires_grad_()
    logits = _judged(subject, network, image)
    subject.require(logits.requires_grad, "returns logits that no gradient flows through")
    torch.autograd.backward(logits.square().mean())
    subject.require(
        image.grad is not None and finite(image.grad) and bool(image.grad.any()),
        "passes no finite gradient on to the image, so a generator can't learn from it",
    )
    check_gradients(subject, network, "in a training step")


def judges_as_in_separate_calls(subject: Subject) -> None:
    """If there is `judge`, it gives every batch the logits of a call of its own."""
    network, size = built(subject, in_channels=3)
    if not issubclass(type(network), JudgesSeveral):
        raise CheckSkipped("it has no judge()")
    batches = [pictures(2, 3, size, seed=seed) * scale for seed, scale in ((0, 1.0), (1, 0.3))]
    apart = copy.deepcopy(network)
    with seeded(0):
        together = network.judge(*batches)  # type: ignore[operator]
    subject.require(
        len(together) == len(batches),
        f"returns {len(together)} results from judge() for {len(batches)} batches",
    )
    for found, batch in zip(together, batches, strict=True):
        with seeded(0):
            expected = _judged(subject, apart, batch)
        subject.require(
            found.shape == expected.shape
            and float((found - expected).detach().abs().max()) <= CLOSE,
            "returns other logits from judge() than from a separate call for each batch",
        )


def tells_images_apart(subject: Subject) -> None:
    """Different images have different logits."""
    network, size = built(subject, in_channels=3)
    network.eval()
    logits = [_judged(subject, network, image[None]) for image in pictures(3, 3, size)]
    subject.require(
        not any(torch.equal(one, other) for one, other in pairwise(logits)),
        "gives different images the same logits",
    )


def _judged(subject: Subject, network: nn.Module, images: Tensor) -> Tensor:
    with subject.doing(f"can't judge images of {tuple(images.shape)}"):
        logits: object = network(images)
    subject.require(
        isinstance(logits, Tensor) and logits.is_floating_point(),
        f"returns {type(logits).__name__}: forward() must return a tensor of logits",
    )
    assert isinstance(logits, Tensor)
    return logits


CHECKS = (
    Check("logits", gives_logits),
    Check("gradients", passes_gradients),
    Check("different images", tells_images_apart),
    Check("judging several batches", judges_as_in_separate_calls),
)
