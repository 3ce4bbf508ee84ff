"""Checks of discriminators: logits, gradients, and the judgement of several batches at once."""

import copy
from itertools import chain, pairwise

import torch
from torch import Tensor, nn

from i2i.losses.judgement import Judgement, features_of, logits_of
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
    """Every image has finite logits, and finite features if there are any."""
    for channels in CHANNELS:
        network, size = built(subject, in_channels=channels)
        for number in (1, 2):
            judgement = _judged(subject, network, pictures(number, channels, size))
            for each in _tensors(judgement):
                subject.require(
                    each.ndim > 0 and each.shape[0] == number and each.numel() > 0,
                    f"returns logits or features of {tuple(each.shape)} for {number} images: the "
                    "first dimension must be the batch",
                )
                subject.require(finite(each), "returns logits or features that are not finite")


def passes_gradients(subject: Subject) -> None:
    """Gradients reach the image, which trains the generator, and all trained parameters."""
    network, size = built(subject, in_channels=3)
    image = pictures(2, 3, size).requires_grad_()
    every = logits_of(_judged(subject, network, image))
    subject.require(
        all(logits.requires_grad for logits in every),
        "returns logits that no gradient flows through",
    )
    torch.autograd.backward([logits.square().mean() for logits in every])
    subject.require(
        image.grad is not None and finite(image.grad) and bool(image.grad.any()),
        "passes no finite gradient on to the image, so a generator can't learn from it",
    )
    check_gradients(subject, network, "in a training step")


def judges_as_in_separate_calls(subject: Subject) -> None:
    """If there is `judge`, it gives every batch the results of a call of its own."""
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
            _is_judgement(found) and _close(_tensors(found), _tensors(expected)),
            "returns other results from judge() than from a separate call for each batch",
        )


def tells_images_apart(subject: Subject) -> None:
    """Different images have different logits."""
    network, size = built(subject, in_channels=3)
    network.eval()
    judged = [logits_of(_judged(subject, network, each[None])) for each in pictures(3, 3, size)]
    subject.require(
        not any(all(map(torch.equal, one, other)) for one, other in pairwise(judged)),
        "gives different images the same logits",
    )


def _judged(subject: Subject, network: nn.Module, images: Tensor) -> Judgement:
    with subject.doing(f"can't judge images of {tuple(images.shape)}"):
        judgement: Judgement = network(images)
    subject.require(
        _is_judgement(judgement),
        f"returns {type(judgement).__name__}: forward() must return a tensor of logits, or a list "
        "with an entry for each scale: logits, or a list of features with the logits as the last",
    )
    return judgement


def _is_judgement(found: object) -> bool:
    if not isinstance(found, list | tuple):
        return _is_float(found)
    scales = [each if isinstance(each, list | tuple) else [each] for each in found]
    return all(scales) and bool(scales) and all(_is_float(each) for own in scales for each in own)


def _is_float(found: object) -> bool:
    return isinstance(found, Tensor) and found.is_floating_point()


def _tensors(judgement: Judgement) -> list[Tensor]:
    """All logits and features."""
    return [*chain(*features_of(judgement)), *logits_of(judgement)]


def _close(found: list[Tensor], expected: list[Tensor]) -> bool:
    return [each.shape for each in found] == [each.shape for each in expected] and all(
        float((one - other).detach().abs().max()) <= CLOSE
        for one, other in zip(found, expected, strict=True)
    )


CHECKS = (
    Check("logits", gives_logits),
    Check("gradients", passes_gradients),
    Check("different images", tells_images_apart),
    Check("judging several batches", judges_as_in_separate_calls),
)
