"""Measures of an output against its target, pixel by pixel; each the mean over images."""

from typing import Any

import torch
from torch import Tensor


class MeanOverImages:
    """A metric that has one value an image, and reports their mean.

    Attributes:
        higher_is_better: Which way it points.
    """

    higher_is_better: bool

    def __init__(self) -> None:
        self._sum = 0.0
        self._images = 0

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """The value of each image; both `(N, C, H, W)` in [0, 1]."""
        raise NotImplementedError

    def update(self, output: Tensor, target: Tensor) -> None:
        """Add images: both uint8 (or uint16) `(N, C, H, W)`."""
        values = self.per_image(_unit(output), _unit(target))
        self._sum += values.double().sum().item()
        self._images += len(values)

    def compute(self) -> float:
        """The mean over all images so far; NaN without any."""
        return self._sum / self._images if self._images else float("nan")


class L1(MeanOverImages):
    """Mean absolute difference, on values scaled to [0, 1]; 0 for equal images."""

    higher_is_better = False

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """The value of each image; both `(N, C, H, W)` in [0, 1]."""
        return (output - target).abs().mean(dim=(1, 2, 3))


class PSNR(MeanOverImages):
    """Peak signal-to-noise ratio in dB at data range 1, as in torchmetrics."""

    higher_is_better = True

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """The value of each image; both `(N, C, H, W)` in [0, 1]."""
        ratio = _torchmetrics().peak_signal_noise_ratio
        values: Tensor = ratio(output, target, data_range=1.0, dim=(1, 2, 3), reduction="none")
        return values


class SSIM(MeanOverImages):
    """Structural similarity (Wang et al., 2004) at data range 1, as in torchmetrics."""

    higher_is_better = True

    def per_image(self, output: Tensor, target: Tensor) -> Tensor:
        """The value of each image; both `(N, C, H, W)` in [0, 1]."""
        similarity = _torchmetrics().structural_similarity_index_measure
        values: Tensor = similarity(output, target, data_range=1.0, reduction="none")
        return values.reshape(len(output))


def _unit(images: Tensor) -> Tensor:
    return images.to(torch.float32) / torch.iinfo(images.dtype).max


def _torchmetrics() -> Any:
    # Importing torchmetrics takes twice as long as importing torch; l1 alone does without.
    from torchmetrics.functional import image

    return image
