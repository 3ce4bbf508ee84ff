"""Checks of methods: their contract, exact resume, accumulation, and several processes."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from i2i.testing.check import Check
from i2i.testing.processes import train_in_processes
from i2i.testing.subject import Subject, known
from i2i.testing.trainings import Trained, method_of, recipe_of, train

STEPS = 4

LOSSES_CLOSE = 1e-3
"""Largest relative difference of losses of the first step that must agree."""

WEIGHTS_CLOSE = 0.05
"""Largest difference of weights that must agree, as a fraction of how far training moved them."""


def keeps_its_contract(subject: Subject) -> None:
    """Networks, players, rounds, models and state are as `Method` asks."""
    with known(subject.entry), subject.doing("breaks the contract of i2i.Method"):
        method_of(recipe_of(subject))


def resumes_exactly(subject: Subject) -> None:
    """A training that was stopped and resumed ends like one that ran through, bit for bit."""
    with TemporaryDirectory() as folder:
        through = train(subject, Path(folder) / "through", max_steps=STEPS)
        train(subject, Path(folder) / "stopped", max_steps=STEPS // 2)
        resumed = train(subject, Path(folder) / "stopped", max_steps=STEPS, resume=True)
    subject.require(
        through.state.keys() == resumed.state.keys(), "saves other things after a resume"
    )
    for name, value in through.state.items():
        other = resumed.state[name]
        same = torch.equal(value, other) if isinstance(value, Tensor) else value == other
        subject.require(
            same,
            f"doesn't resume exactly: '{name}' differs from that of a training that ran through; "
            "state_dict() must return everything that changes beside the networks, and all random "
            "numbers must be torch's or follow from the seed and the step",
        )


def accumulates(subject: Subject) -> None:
    """A batch in two parts trains nearly as the whole batch."""
    with TemporaryDirectory() as folder:
        whole = train(subject, Path(folder) / "whole", max_steps=STEPS)
        parts = train(subject, Path(folder) / "parts", max_steps=STEPS, accumulate=2)
    _require_equal_losses(subject, whole, parts, "with train.accumulate = 2")
    _require_equal_weights(subject, whole, parts, "with train.accumulate = 2")


def trains_in_two_processes(subject: Subject) -> None:
    """Two processes give the weights of one; each logs the losses of its own part of a batch."""
    with TemporaryDirectory() as folder:
        one = train(subject, Path(folder) / "one", max_steps=STEPS)
        two = train_in_processes(subject, Path(folder) / "two", max_steps=STEPS)
    _require_equal_weights(subject, one, two, "in two processes")


def _require_equal_losses(subject: Subject, one: Trained, other: Trained, how: str) -> None:
    for name, value in one.losses.items():
        found = other.losses.get(name, math.nan)
        subject.require(
            math.isclose(value, found, rel_tol=LOSSES_CLOSE, abs_tol=1e-6),
            f"has the loss '{name}' {found:.6g} {how}, but {value:.6g} without: losses must be "
            "means over the images of a batch",
        )


def _require_equal_weights(subject: Subject, one: Trained, other: Trained, how: str) -> None:
    with known(subject.entry):
        initial = method_of(recipe_of(subject))
    for model, weights in one.models.items():
        before = initial.networks[model].state_dict()
        apart = sum(_distance(weights[name], other.models[model][name]) for name in weights)
        moved = sum(_distance(weights[name], before[name]) for name in weights)
        subject.require(
            apart <= WEIGHTS_CLOSE * moved,
            f"gives '{model}' other weights {how}: they differ by {apart / (moved or 1):.0%} of "
            "how far training moved them",
        )


def _distance(one: Tensor, other: Tensor) -> float:
    return float((one.double() - other.double()).abs().sum())


CHECKS = (
    Check("contract", keeps_its_contract),
    Check("exact resume", resumes_exactly),
    Check("accumulation", accumulates),
    Check("two processes", trains_in_two_processes, slow=True),
)
