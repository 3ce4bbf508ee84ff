"""Metrics that compare outputs and targets as two sets of features, without pairing."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.extractors import Extractor
from i2i.metrics.metric import Metric


class Gathered(Protocol):
    """The features of one set, added batch by batch."""

    n: int

    def update(self, rows: Tensor) -> None:
        """Add rows `(n, d)`."""

    def merge(self, other: Self) -> None:
        """Add the rows of another instance."""


class Rows:
    """Stores all rows in order."""

    def __init__(self) -> None:
        self.n = 0
        self._batches: list[Tensor] = []

    def update(self, rows: Tensor) -> None:
        """Add rows `(n, d)`."""
        self._batches.append(rows)
        self.n += len(rows)

    def merge(self, other: Self) -> None:
        """Add the rows of another instance."""
        self._batches += other._batches
        self.n += other.n

    def matrix(self) -> Tensor:
        """Return all rows `(n, d)`."""
        return torch.cat(self._batches)


State = TypeVar("State", bound=Gathered)


class SetMetric(Metric, Generic[State]):
    """A distance between two sets of features.

    Attributes:
        extractor: Computes the features. Metrics with the same extractor share features.
        outputs: The features of the outputs, or their statistics.
        targets: The features of the targets, or their statistics.
        needs: Minimum number of images in each set.
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
        """Add a batch of outputs and one of targets, uint8 or uint16 `(N, 1 or 3, H, W)`."""
        output, target = images
        self.outputs.update(self.extractor(output))
        self.targets.update(self.extractor(target))

    def merge(self, other: Self) -> None:
        """Add the images of another metric, as if they came after this metric's images."""
        self.outputs.merge(other.outputs)
        self.targets.merge(other.targets)

    def compute(self) -> float:
        """Return the distance.

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
        """Compute the distance; `compute` has checked that there are enough images."""

    def details(self) -> Mapping[str, Any]:
        """Return the number of images in each set."""
        return {"outputs": self.outputs.n, "targets": self.targets.n}

    def settings(self) -> Mapping[str, Any]:
        """Return the settings of the extractor."""
        return self.extractor.settings
