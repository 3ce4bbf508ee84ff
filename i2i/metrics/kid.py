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
        """Compute the unbiased distances `(B,)` on bootstrap samples `(B, n)` of pairs.

        Uses all images of a bootstrap sample instead of random subsets: the mean over subsets
        estimates the same value. Leaves out copies of the same image, see
        `i2i.metrics.kernel.bootstrap_mmd`.

        Returns:
            None if the sets are not pairs because their sizes differ.
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
    """Kernel Inception distance (Bińkowski et al., ICLR 2018): unbiased, also for small sets.

    The mean of the squared polynomial MMD over random subsets, with its standard error. The subsets
    equal torch-fidelity's for the same seed, sizes and order of images.

    Args:
        preset: As in `fid`.
        subsets: Number of subsets.
        subset_size: Images in each subset; by default half of the smaller set, at most 1000.
        seed: Seed of the random subsets.
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
    """Kernel distance of the features of a timm classifier.

    Args:
        model: The name of a timm model with pretrained weights.
        subsets: Number of subsets.
        subset_size: Images in each subset; by default half of the smaller set, at most 1000.
        seed: Seed of the random subsets.
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
