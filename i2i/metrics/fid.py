"""Fréchet distances: FID, FID extrapolated to infinitely many outputs, and FD."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from torch import Tensor

from i2i.metrics.extractors import Extractor, Preset, inception_extractor, timm_extractor
from i2i.metrics.frechet import Gaussian, Moments, bootstrap_distances, frechet_distance
from i2i.metrics.set_metric import Rows, SetMetric


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
        seed: Annotated[int, Ge(0)] = 0,
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
