"""Distances between the outputs and the targets as two sets of features, whatever their pairing."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.extractors import Extractor
from i2i.metrics.metric import Metric


class Gathered(Protocol):
    """Features of one set, gathered batch by batch."""

    n: int

    def update(self, rows: Tensor) -> None:
        """Add `(n, d)`."""

    def merge(self, other: Self) -> None:
        """Add what another has gathered."""


class Rows:
    """All rows as they came."""

    def __init__(self) -> None:
        self.n = 0
        self._batches: list[Tensor] = []

    def update(self, rows: Tensor) -> None:
        """Add `(n, d)`."""
        self._batches.append(rows)
        self.n += len(rows)

    def merge(self, other: Self) -> None:
        """Add what another has gathered."""
        self._batches += other._batches
        self.n += other.n

    def matrix(self) -> Tensor:
        """All rows `(n, d)`."""
        return torch.cat(self._batches)


State = TypeVar("State", bound=Gathered)


class SetMetric(Metric, Generic[State]):
    """A distance between two sets of features.

    Attributes:
        extractor: Makes the features; metrics that share one can share features.
        outputs: What was gathered of the outputs.
        targets: What was gathered of the targets.
        needs: How many images each set must have.
    """

    higher_is_better = False
    needs = 2
    extractor: Extractor
    outputs: State
    targets: State

    def __init__(self, family: str, extractor: Extractor, state: type[State]) -> None:
        self.label = f"{family}[{extractor.name}]"
        self.extractor = extractor
        self.outputs, self.targets = state(), state()

    def update(self, *images: Tensor) -> None:
        """Add a batch of outputs and one of targets, whole numbers `(N, 1 or 3, H, W)`."""
        output, target = images
        self.outputs.update(self.extractor(output))
        self.targets.update(self.extractor(target))

    def merge(self, other: Self) -> None:
        """Add what another one has gathered, as if it had come after one's own."""
        self.outputs.merge(other.outputs)
        self.targets.merge(other.targets)

    def compute(self) -> float:
        """The distance.

        Raises:
            DataError: If there are too few images.
        """
        few = [
            f"{self.label} needs at least {self.needs} {role}, there "
            f"{'is' if state.n == 1 else 'are'} {state.n}"
            for role, state in (("outputs", self.outputs), ("targets", self.targets))
            if state.n < self.needs
        ]
        if few:
            raise DataError(few)
        return self.distance()

    @abstractmethod
    def distance(self) -> float:
        """The distance between enough images."""

    def details(self) -> Mapping[str, Any]:
        """How many images each set has."""
        return {"outputs": self.outputs.n, "targets": self.targets.n}

    def settings(self) -> Mapping[str, Any]:
        """What the features depend on."""
        return self.extractor.settings
