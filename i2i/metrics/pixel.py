"""Metrics that compare an output with its target pixel by pixel, averaged over images."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Self

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.metric import Metric


class MeanOverImages(Metric):
    """A metric that has a value for each image and reports their mean."""

    def __init__(self) -> None:
        self._values = torch.empty(0, dtype=torch.float64)

    @abstractmethod
    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""

    def update(self, *images: Tensor) -> None:
        """Add a batch of outputs and targets, both uint8 or uint16 `(N, C, H, W)`."""
        output, target = images
        values = self.per_image(output, target).cpu().double()
        self._values = torch.cat([self._values, values])

    def merge(self, other: Self) -> None:
        """Add the images of another metric, as if they came after this metric's images."""
        self._values = torch.cat([self._values, other._values])

    def compute(self) -> float:
        """Return the mean over all images so far; NaN if there are none."""
        return self._values.mean().item()

    def bootstrap(self, indices: Tensor) -> Tensor:
        """Compute the mean `(B,)` over each bootstrap sample `(B, n)`."""
        return self._values[indices].mean(dim=1)

    def details(self) -> Mapping[str, Any]:
        """Return the number of pairs."""
        return {"pairs": len(self._values)}


class L1(MeanOverImages):
    """Mean absolute difference, on values scaled to [0, 1]; 0 for equal images."""

    higher_is_better = False

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""
        return (_unit(output) - _unit(target)).abs().mean(dim=(1, 2, 3))


class L2(MeanOverImages):
    """Mean squared difference, on values scaled to [0, 1]; 0 for equal images."""

    higher_is_better = False

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""
        return (_unit(output) - _unit(target)).square().mean(dim=(1, 2, 3))


class _Torchmetrics(MeanOverImages):
    higher_is_better = True

    def settings(self) -> Mapping[str, Any]:
        """Return the torchmetrics version and the data range."""
        return {"torchmetrics": version("torchmetrics"), "data_range": 1.0}


class PSNR(_Torchmetrics):
    """Peak signal-to-noise ratio in dB at data range 1, as in torchmetrics.

    The ratio of two equal images is infinite. Such pairs are left out of the mean and counted;
    the value is infinite only if all pairs are equal.
    """

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""
        ratio = _torchmetrics().peak_signal_noise_ratio
        values: Tensor = ratio(
            _unit(output), _unit(target), data_range=1.0, dim=(1, 2, 3), reduction="none"
        )
        return values

    def compute(self) -> float:
        """Return the mean over all pairs that differ; NaN if there are no pairs."""
        return _mean_of_finite(self._values[None]).item()

    def bootstrap(self, indices: Tensor) -> Tensor:
        """Compute the mean `(B,)` over the pairs that differ in each bootstrap sample `(B, n)`."""
        return _mean_of_finite(self._values[indices])

    def details(self) -> Mapping[str, Any]:
        """Return the number of pairs, and how many of them are equal."""
        equal = int(self._values.isinf().sum())
        return {**super().details(), **({"equal_pairs": equal} if equal else {})}


class SSIM(_Torchmetrics):
    """Structural similarity (Wang et al., 2004) at data range 1, as in torchmetrics."""

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""
        return _similarity(
            "ssim", _torchmetrics().structural_similarity_index_measure, output, target
        )


class MSSSIM(_Torchmetrics):
    """Multi-scale structural similarity (Wang et al., 2003) at data range 1, as in torchmetrics.

    Both sides of an image must be larger than 160 pixels, because the five scales halve it four
    times.
    """

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the value `(N,)` of each pair; both uint8 or uint16 `(N, C, H, W)`."""
        return _similarity(
            "ms_ssim",
            _torchmetrics().multiscale_structural_similarity_index_measure,
            output,
            target,
        )


def _mean_of_finite(values: Tensor) -> Tensor:
    """The mean of each row, without infinite values; of a row without others, infinity."""
    finite = values.isfinite()
    means = values.where(finite, 0.0).sum(dim=1) / finite.sum(dim=1)
    return means.where(finite.any(dim=1), values.mean(dim=1))


def _similarity(
    name: str, function: Callable[..., Tensor], output: Tensor, target: Tensor
) -> Tensor:
    try:
        values = function(_unit(output), _unit(target), data_range=1.0, reduction="none")
    except (ValueError, RuntimeError) as error:
        size = "{}x{}".format(*output.shape[-2:])
        raise DataError([f"{name} can't be measured on {size} images: {error}"]) from error
    return values.reshape(len(output))


def _unit(images: Tensor) -> Tensor:
    return images.to(torch.float32) / torch.iinfo(images.dtype).max


def _torchmetrics() -> Any:
    # Importing torchmetrics takes twice as long as importing torch, and l1 does not need it.
    from torchmetrics.functional import image

    return image
