"""Distances between the outputs and the targets as two sets of features, whatever their pairing."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from annotated_types import Ge
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.base import Metric
from i2i.metrics.extractors import Extractor, Preset, inception_extractor, timm_extractor
from i2i.metrics.frechet import Gaussian, Moments, bootstrap_distances, frechet_distance
from i2i.metrics.kernel import Estimate, bootstrap_mmd, subset_mmd

TORCH_FIDELITY_SEED = 2020
LARGEST_SUBSET = 1000

Whole = Annotated[int, Ge(0)]


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


class _Frechet(SetMetric[Moments]):
    def __init__(self, family: str, extractor: Extractor) -> None:
        super().__init__(family, extractor, Moments)

    def distance(self) -> float:
        return frechet_distance(self.outputs.gaussian(), self.targets.gaussian())

    def bootstrap(self, indices: Tensor) -> Tensor | None:
        """The distance `(B,)` on bootstrap samples `(B, n)`, outputs and targets drawn together.

        A bootstrap sample holds fewer different images, which biases the distance further upwards.

        Returns:
            None where the sets are no pairs, being of unequal size, or so large that features
            aren't kept: from as many images on as features have dimensions.
        """
        outputs, targets = self.outputs.rows(), self.targets.rows()
        if outputs is None or targets is None or len(outputs) != len(targets):
            return None
        return bootstrap_distances(outputs, targets, indices)


class FID(_Frechet):
    """Fréchet Inception distance (Heusel et al., NeurIPS 2017), from 0; few images bias it upwards.

    Args:
        preset: Whose resize and scale: `clean` as clean-fid, `tf1` as torch-fidelity and the
            original, `pytorch-fid`. Numbers of different presets can't be compared.
    """

    def __init__(self, *, preset: Preset = "clean") -> None:
        super().__init__("fid", inception_extractor(preset))


class FD(_Frechet):
    """Fréchet distance in the features of any of timm's classifiers.

    Args:
        model: A name that timm has pretrained weights for.
    """

    def __init__(self, *, model: str = "tf_efficientnet_lite0") -> None:
        super().__init__("fd", timm_extractor(model))


class FIDInfinity(SetMetric[Rows]):
    """FID extrapolated to infinitely many outputs (Chong and Forsyth, CVPR 2020, section 4).

    FID of random parts of the outputs, from half of them to all, against all targets is fitted by a
    line over 1/n; its value at 0 is the result. It has no values on bootstrap samples: the line is
    over numbers of different images, and those of a bootstrap sample are not all different.

    Args:
        preset: As in FID.
        points: Parts.
        seed: Where their draws begin.
    """

    needs = 20

    def __init__(
        self,
        *,
        preset: Preset = "clean",
        points: Annotated[int, Ge(2)] = 15,
        seed: Whole = 0,
    ) -> None:
        super().__init__("fid_inf", inception_extractor(preset), Rows)
        self.points, self.seed = points, seed

    def distance(self) -> float:
        """The line's value at 0."""
        outputs, targets = self.outputs.matrix(), _gaussian(self.targets.matrix())
        draws = np.random.RandomState(self.seed)
        sizes = np.linspace(len(outputs) / 2, len(outputs), self.points).astype(int)
        values = [
            frechet_distance(_gaussian(outputs[draws.permutation(len(outputs))[:size]]), targets)
            for size in sizes
        ]
        _, intercept = np.polyfit(1 / sizes, values, 1)
        return float(intercept)

    def settings(self) -> Mapping[str, Any]:
        """What the features depend on, and how parts are drawn."""
        return {**super().settings(), "points": self.points, "seed": self.seed}


def _gaussian(rows: Tensor) -> Gaussian:
    moments = Moments()
    moments.update(rows)
    return moments.gaussian()


class _Kernel(SetMetric[Rows]):
    def __init__(
        self, family: str, extractor: Extractor, subsets: int, subset_size: int | None, seed: int
    ) -> None:
        super().__init__(family, extractor, Rows)
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed
        self._estimate: Estimate | None = None
        self.needs = subset_size or 2

    @property
    def _size(self) -> int:
        if self.subset_size is not None:
            return self.subset_size
        return min(LARGEST_SUBSET, max(2, min(self.outputs.n, self.targets.n) // 2))

    def distance(self) -> float:
        self._estimate = subset_mmd(
            self.outputs.matrix(),
            self.targets.matrix(),
            subsets=self.subsets,
            size=self._size,
            seed=self.seed,
        )
        return self._estimate.mean

    def bootstrap(self, indices: Tensor) -> Tensor | None:
        """The unbiased distance `(B,)` of bootstrap samples `(B, n)`, drawn in pairs.

        It is of all images of a bootstrap sample, which the mean over random subsets is an estimate
        of, and leaves out what an image says of its own copies
        (`i2i.metrics.kernel.bootstrap_mmd`).

        Returns:
            None where the sets are no pairs, being of unequal size.
        """
        if self.outputs.n != self.targets.n:
            return None
        return bootstrap_mmd(self.outputs.matrix(), self.targets.matrix(), indices)

    def details(self) -> Mapping[str, Any]:
        estimate = self._estimate
        if estimate is None:
            return super().details()
        return {
            **super().details(),
            "standard_error": estimate.standard_error,
            "standard_deviation": estimate.standard_deviation,
        }

    def settings(self) -> Mapping[str, Any]:
        own = {"subsets": self.subsets, "subset_size": self._size, "seed": self.seed}
        return {**super().settings(), **own}


class KID(_Kernel):
    """Kernel Inception distance (Bińkowski et al., ICLR 2018): unbiased, the one for small sets.

    The mean of the squared polynomial MMD over random subsets, with its standard error. The draws
    are torch-fidelity's for the same seed, sizes and order of images.

    Args:
        preset: As in FID.
        subsets: How many.
        subset_size: Images in each; without it half of the smaller set, up to 1000.
        seed: Where the draws begin.
    """

    def __init__(
        self,
        *,
        preset: Preset = "clean",
        subsets: Annotated[int, Ge(1)] = 100,
        subset_size: Annotated[int, Ge(2)] | None = None,
        seed: Whole = TORCH_FIDELITY_SEED,
    ) -> None:
        super().__init__("kid", inception_extractor(preset), subsets, subset_size, seed)


class KD(_Kernel):
    """Kernel distance in the features of any of timm's classifiers.

    Args:
        model: A name that timm has pretrained weights for.
        subsets: How many.
        subset_size: Images in each; without it half of the smaller set, up to 1000.
        seed: Where the draws begin.
    """

    def __init__(
        self,
        *,
        model: str = "tf_efficientnet_lite0",
        subsets: Annotated[int, Ge(1)] = 100,
        subset_size: Annotated[int, Ge(2)] | None = None,
        seed: Whole = TORCH_FIDELITY_SEED,
    ) -> None:
        super().__init__("kd", timm_extractor(model), subsets, subset_size, seed)
