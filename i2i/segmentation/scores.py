"""How well class maps agree: per-pixel accuracy, per-class accuracy and class IoU."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """The three scores of Isola et al. 2017, section 4, all in [0, 1]; NaN without any pixel.

    Args:
        per_pixel: Share of all pixels that have their true class.
        per_class: That share among the pixels of each class, averaged over the classes.
        class_iou: Intersection over union of each class, averaged over the classes.
    """

    per_pixel: float
    per_class: float
    class_iou: float

    def as_dict(self) -> dict[str, float]:
        """The scores by name."""
        return asdict(self)


def confusion(predicted: Tensor, truth: Tensor, classes: int) -> Tensor:
    """How often each class was taken for each.

    Args:
        predicted: Class indices of any shape, 0 to `classes` − 1.
        truth: The true ones, of the same shape and range.
        classes: How many classes there are.

    Returns:
        `(classes, classes)` int64 on the CPU: rows are the truth, columns what was predicted.
    """
    both = truth.reshape(-1).long() * classes + predicted.reshape(-1).long()
    counts = torch.bincount(both, minlength=classes * classes)
    return counts.reshape(classes, classes).cpu()


def scores(matrix: Tensor) -> Scores:
    """The scores of a confusion matrix, after Long, Shelhamer and Darrell 2015, section 5.

    The two means are over the classes that occur in the truth. A class that never does has no
    accuracy and is left out of both; pixels that were taken for it are wrong all the same, and so
    count against the classes that they belong to.

    Args:
        matrix: `(K, K)` whole numbers; rows are the truth, columns what was predicted.
    """
    counts = matrix.double()
    right, true, predicted = counts.diagonal(), counts.sum(dim=1), counts.sum(dim=0)
    occurs = true > 0
    accuracy = right[occurs] / true[occurs]
    iou = right[occurs] / (true + predicted - right)[occurs]
    return Scores((right.sum() / true.sum()).item(), accuracy.mean().item(), iou.mean().item())
