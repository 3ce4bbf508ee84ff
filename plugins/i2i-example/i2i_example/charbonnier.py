"""The Charbonnier loss."""

from typing import Annotated

from annotated_types import Gt
from torch import Tensor, nn


class Charbonnier(nn.Module):
    """A smooth L1 loss: `sqrt((output - target)^2 + epsilon^2)` (Charbonnier et al., 1994).

    Attributes:
        minimum: The loss of equal images: `epsilon`.
    """

    def __init__(self, *, epsilon: Annotated[float, Gt(0)] = 1e-3) -> None:
        super().__init__()
        self.epsilon = self.minimum = epsilon

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compute the mean loss over all values of two batches `(N, C, H, W)`."""
        return ((output - target) ** 2 + self.epsilon**2).sqrt().mean()
