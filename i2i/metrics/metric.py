"""What evaluation asks of a metric."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

from torch import Tensor

Role = Literal["output", "target", "input"]


class Metric(ABC):
    """One number about translations, gathered batch by batch.

    What several of them, built alike, have gathered can be merged and then computed.

    Attributes:
        higher_is_better: Which way it points.
        sees: Which images of a pair `update` takes, in this order.
        label: The name with what the number depends on most, such as `fid[clean]`; None where the
            metric's name says it all.
        needs: How many pairs it needs at least.
    """

    higher_is_better: bool
    sees: tuple[Role, ...] = ("output", "target")
    label: str | None = None
    needs: int = 1

    @abstractmethod
    def update(self, *images: Tensor) -> None:
        """Add a batch: whole numbers `(N, C, H, W)`, one tensor for each of `sees`."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add what another one has gathered, as if it had come after one's own."""

    @abstractmethod
    def compute(self) -> float:
        """The value for all images so far.

        Raises:
            DataError: If there are too few images; the sentence says how many are needed.
        """

    def bootstrap(self, indices: Tensor) -> Tensor | None:
        """The values on bootstrap samples of the images, for confidence intervals.

        Args:
            indices: `(B, n)` places of images in the order in which they came, each row a bootstrap
                sample; an image may come again. All images of a pair are drawn together.

        Returns:
            `(B,)`, row by row what `compute` would say of these images; None where a metric can't
            tell, as those that don't say how.
        """
        return None

    def details(self) -> Mapping[str, Any]:
        """What belongs to the value besides, such as `standard_error`."""
        return {}

    def settings(self) -> Mapping[str, Any]:
        """All that the value depends on but the images: preset, weights' SHA-256, resize, seed."""
        return {}
