"""Scores of predicted classes: per-pixel accuracy, per-class accuracy and class IoU."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """The three scores of Isola et al. 2017, section 4, in [0, 1]; NaN if there are no pixels.

    Args:
        per_pixel: Share of all pixels that have their true class.
        per_class: The same share among the pixels of each class, averaged over the classes.
        class_iou: Intersection over union of each class, averaged over the classes.
    """

    per_pixel: float
    per_class: float
    class_iou: float

    def as_dict(self) -> dict[str, float]:
        """Return the scores by name."""
        return asdict(self)


def confusion(predicted: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Count how often each true class was predicted as each class.

    Args:
        predicted: Class indices of any shape, 0 to `classes` − 1.
        truth: The true class indices, of the same shape and range.
        classes: Number of classes.

    Returns:
        `(classes, classes)` int64 on the CPU: rows are true classes, columns are predictions.
    """
    both = truth.reshape(-1).long() * classes + predicted.reshape(-1).long()
    counts = torch.bincount(both, minlength=classes * classes)
    return counts.reshape(classes, classes).cpu()


def scores(matrix: Tensor) -> Scores:
    """Compute the scores of a confusion matrix, after Long, Shelhamer and Darrell 2015, section 5.

    The two means are over the classes that occur in the truth. Other classes have no accuracy and
    are left out. Pixels that were predicted as such a class are still wrong, and count as errors of
    their true class.

    Args:
        matrix: `(K, K)` counts; rows are true classes, columns are predictions.
    """
    counts = matrix.double()
    right, true, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    occurs = true > 0
    accuracy = right[occurs] / true[occurs]
    iou = right[occurs] / (true + predicted - right)[occurs]
    return Scores((right.sum() / true.sum()).item(), accuracy.mean().item(), iou.mean().item())
