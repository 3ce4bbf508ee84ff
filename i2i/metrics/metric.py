"""The interface of metrics."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

from torch import Tensor

Role = Literal["output", "target", "input"]


class Metric(ABC):
    """A metric of translations that is updated batch by batch.

    Instances with the same settings can be merged before the value is computed.

    Attributes:
        higher_is_better: Whether a higher value is better.
        sees: The images of a pair that `update` takes, in this order.
        label: The metric's name and its most important setting, such as `fid[clean]`; None if the
            name is enough.
        needs: Minimum number of pairs.
    """

    higher_is_better: bool
    sees: tuple[Role, ...] = ("output", "target")
    label: str | None = None
    needs: int = 1

    @abstractmethod
    def update(self, *images: Tensor) -> None:
        """Add a batch: one uint8 or uint16 tensor `(N, C, H, W)` for each of `sees`."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add the images of another metric, as if they came after this metric's images."""

    @abstractmethod
    def compute(self) -> float:
        """Compute the value for all images so far.

        Raises:
            DataError: If there are too few images; the message says how many are needed.
        """

    def bootstrap(self, indices: Tensor) -> Tensor | None:
        """Compute the values on bootstrap samples of the pairs, for confidence intervals.

        Args:
            indices: `(B, n)` indices of pairs, in the order of the updates. Each row is a bootstrap
                sample and may contain a pair several times.

        Returns:
            `(B,)` values, for each row the value that `compute` would return for these pairs; None
            if the metric doesn't support it, which is the default.
        """
        return None

    def details(self) -> Mapping[str, Any]:
        """Return further numbers about the value, such as `standard_error`."""
        return {}

    def settings(self) -> Mapping[str, Any]:
        """Return everything that the value depends on, except the images.

        Examples are the preset, the SHA-256 of the weights, the resizing and the seed.
        """
        return {}
