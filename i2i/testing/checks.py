"""The checks of every kind of components, and the functions that a plugin's tests call."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from i2i.testing import datasets, discriminators, generators, losses, methods, metrics
from i2i.testing.check import Check
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import Subject, subject_of

CHECKS: Mapping[str, tuple[Check, ...]] = {
    "dataset": datasets.CHECKS,
    "generator": generators.CHECKS,
    "discriminator": discriminators.CHECKS,
    "loss": losses.CHECKS,
    "metric": metrics.CHECKS,
    "method": methods.CHECKS,
}
"""The checks by kind of component."""


def check_generator(component: str | type, /, **options: Any) -> list[str]:
    """Check that a generator keeps its contract.

    It keeps the shape and range of images of several sizes and channels, gives the same output
    twice, trains in every precision, survives saving and loading, translates an image in a batch
    as it does alone, translates large images in tiles, and exports to ONNX.

    Args:
        component: The class, or the name that it is registered by.
        options: Its options, as in a recipe.

    Returns:
        One line for each check that could not be made here, with the reason.

    Raises:
        ConformanceError: If it breaks the contract; the message is one sentence.
    """
    return _check(subject_of("generator", component, options))


def check_discriminator(component: str | type, /, **options: Any) -> list[str]:
    """Check that a discriminator keeps its contract.

    It gives finite logits for each image, tells images apart, passes gradients on to the image and
    its parameters, and `judge`, if there is one, equals separate calls. Arguments, result and
    errors are those of `check_generator`.
    """
    return _check(subject_of("discriminator", component, options))


def check_loss(component: str | type, /, **options: Any) -> list[str]:
    """Check that a loss keeps its contract.

    It is a finite scalar with a gradient. A reconstruction loss is smallest for equal images: 0, or
    what its attribute `minimum` says. An adversarial loss is smaller for a discriminator that is
    right, and pushes a generator's outputs towards real. Arguments, result and errors are those of
    `check_generator`.
    """
    return _check(subject_of("loss", component, options))


def check_dataset(
    component: str | type, /, *, paired: bool | None = None, **options: Any
) -> list[str]:
    """Check that a data set keeps its contract.

    Its lists are the same when it is built again, names are unique and safe as file names, no image
    is in two splits, and decoded images have the promised channels and type. Result and errors are
    those of `check_generator`.

    Args:
        component: The class, or the name that it is registered by.
        paired: The recipe's `data.paired`, for data sets that take it.
        options: Its options, as in a recipe.
    """
    return _check(replace(subject_of("dataset", component, options), paired=paired))


def check_metric(component: str | type, /, **options: Any) -> list[str]:
    """Check that a metric keeps its contract.

    Its value is finite, and better for equal images than for others. It doesn't depend on the size
    of batches, nor on their order unless `settings()` has a `seed`, and merging two metrics equals
    one pass. Arguments, result and errors are those of `check_generator`.
    """
    return _check(subject_of("metric", component, options))


def check_method(
    component: str | type,
    /,
    *,
    recipe: Mapping[str, Any] | None = None,
    slow: bool = False,
    **options: Any,
) -> list[str]:
    """Check that a method keeps its contract, in trainings of a few steps on a CPU.

    A training that was stopped resumes exactly, and `train.accumulate` changes next to nothing.
    Result and errors are those of `check_generator`.

    Args:
        component: The class, or the name that it is registered by.
        recipe: Sections of the recipe to train with, such as `losses`; the others are the kit's.
            Networks must not let the images of a batch depend on each other, as batch norm does.
        slow: Whether two processes must give the weights of one too. They start as new
            interpreters, so a script needs `if __name__ == "__main__"`.
        options: Its options, as in a recipe.
    """
    subject = subject_of("method", component, options)
    return _check(replace(subject, recipe={**subject.recipe, **(recipe or {})}), slow=slow)


def _check(subject: Subject, *, slow: bool = False) -> list[str]:
    """Make all checks of a component's kind; return one line for each that is skipped."""
    skipped = []
    for check in CHECKS[subject.entry.kind]:
        if slow or not check.slow:
            try:
                check.run(subject)
            except CheckSkipped as reason:
                skipped.append(f"{check.name}: {reason}")
    return skipped
