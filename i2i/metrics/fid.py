"""Fréchet distances: FID, FID extrapolated to infinitely many outputs, and FD."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

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
        """Compute the distances `(B,)` on bootstrap samples `(B, n)` of pairs.

        A bootstrap sample has fewer distinct images than the set, so its distance has a larger
        upward bias.

        Returns:
            None if the sets are not pairs because their sizes differ, or if they have at least as
            many images as features have dimensions: then single features are not stored.
        """
        outputs, targets = self.outputs.rows(), self.targets.rows()
        if outputs is None or targets is None or len(outputs) != len(targets):
            return None
        return bootstrap_distances(outputs, targets, indices)


class FID(_Frechet):
    """Fréchet Inception distance (Heusel et al., NeurIPS 2017), at least 0.

    It is biased upwards, the more so the fewer images there are.

    Args:
        preset: The tool whose resizing and scaling is used: `clean` for clean-fid, `tf1` for
            torch-fidelity and the original, or `pytorch-fid`. Values of different presets are not
            comparable.
    """

    def __init__(self, *, preset: Preset = "clean") -> None:
        super().__init__("fid", inception_extractor(preset))


class FD(_Frechet):
    """Fréchet distance of the features of a timm classifier.

    Args:
        model: The name of a timm model with pretrained weights.
    """

    def __init__(self, *, model: str = "tf_efficientnet_lite0") -> None:
        super().__init__("fd", timm_extractor(model))


class FIDInfinity(SetMetric[Rows]):
    """FID extrapolated to infinitely many outputs (Chong and Forsyth, CVPR 2020, section 4).

    Computes FID between all targets and random subsets of the outputs, of sizes n from half of the
    outputs to all of them. Fits a line to FID over 1/n; its value at 1/n = 0 is the result.
    Bootstrap samples are not supported: the fit needs subsets of n distinct images, and the images
    of a bootstrap sample are not all distinct.

    Args:
        preset: As in `fid`.
        points: Number of subsets.
        seed: Seed of the random subsets.
    """

    needs = 20
    example_options: ClassVar[Mapping[str, Any]] = {"points": 2}

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
        """Return the value of the fitted line at 1/n = 0."""
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
        """Return the settings of the features and of the random subsets."""
        return {**super().settings(), "points": self.points, "seed": self.seed}


def _gaussian(rows: Tensor) -> Gaussian:
    moments = Moments()
    moments.update(rows)
    return moments.gaussian()
