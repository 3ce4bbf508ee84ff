"""Kernel distances: KID and KD."""

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge
from torch import Tensor

from i2i.metrics.extractors import Extractor, Preset, inception_extractor, timm_extractor
from i2i.metrics.kernel import Estimate, bootstrap_mmd, subset_mmd
from i2i.metrics.set_metric import Rows, SetMetric

TORCH_FIDELITY_SEED = 2020
LARGEST_SUBSET = 1000

Seed = Annotated[int, Ge(0)]


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
        seed: Seed = TORCH_FIDELITY_SEED,
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
        seed: Seed = TORCH_FIDELITY_SEED,
    ) -> None:
        super().__init__("kd", timm_extractor(model), subsets, subset_size, seed)
