"""Metrics, a good one and others that break one rule."""

from typing import Any, Self

import torch
from torch import Tensor


class Metric:
    """The mean absolute difference."""

    higher_is_better = False

    def __init__(self) -> None:
        self.values = torch.empty(0, dtype=torch.float64)

    def update(self, output: Tensor, target: Tensor) -> None:
        values = (output.double() - target.double()).abs().mean((1, 2, 3))
        self.values = torch.cat([self.values, values])

    def merge(self, other: Self) -> None:
        self.values = torch.cat([self.values, other.values])

    def compute(self) -> Any:
        return self.values.mean().item()

    def bootstrap(self, indices: Tensor) -> Tensor:
        return self.values[indices].mean(1)


class Undirected(Metric):
    higher_is_better = None


class NotFinite(Metric):
    def compute(self) -> Any:
        return float("nan")


class TensorValue(Metric):
    def compute(self) -> Any:
        return self.values.mean()


class WrongDirection(Metric):
    higher_is_better = True


class MeanOfMeans(Metric):
    def merge(self, other: Self) -> None:
        self.values = torch.stack([self.values.mean(), other.values.mean()])


class MeanOfBatches(Metric):
    def update(self, output: Tensor, target: Tensor) -> None:
        value = (output.double() - target.double()).abs().mean()
        self.values = torch.cat([self.values, value[None]])


class Smoothed(Metric):
    def compute(self) -> Any:
        smooth = self.values[0]
        for value in self.values[1:]:
            smooth = 0.9 * smooth + 0.1 * value
        return smooth.item()


class OneForAllSamples(Metric):
    def bootstrap(self, indices: Tensor) -> Tensor:
        return super().bootstrap(indices).mean()


class SumOfSample(Metric):
    def bootstrap(self, indices: Tensor) -> Tensor:
        return self.values[indices].sum(1)


METRICS = (
    ("finite value", Undirected, "needs the attribute higher_is_better, True or False"),
    ("finite value", NotFinite, "is nan for plausible images"),
    ("finite value", TensorValue, "returns Tensor from compute(): return a float"),
    ("better for equal images", WrongDirection, "is not better for equal images (0) than for"),
    ("merging", MeanOfMeans, "after merging two parts"),
    ("size of batches", MeanOfBatches, "in larger batches"),
    ("order", Smoothed, "in the reverse order"),
    ("bootstrap samples", OneForAllSamples, "returns () from bootstrap(), not (B,)"),
    ("bootstrap samples", SumOfSample, "of bootstrap() with every pair once"),
)
