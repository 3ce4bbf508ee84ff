"""Images as networks see them: float batches in [−1, 1], from and to whole numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Pairs, ready for the networks.

    Args:
        input: `(N, C, H, W)` in [−1, 1].
        target: `(N, C, H, W)` in [−1, 1].
        names: Which pairs they are.
    """

    input: Tensor
    target: Tensor
    names: tuple[str, ...]

    def part(self, i: int, parts: int) -> "Batch":
        """The i-th of so many equal parts."""
        n = len(self.names) // parts
        here = slice(i * n, (i + 1) * n)
        return Batch(self.input[here], self.target[here], self.names[here])

    def to(self, device: torch.device, layout: torch.memory_format) -> "Batch":
        """The batch on a device, in a layout; copied without waiting where its memory is pinned."""
        return Batch(
            self.input.to(device, non_blocking=True, memory_format=layout),
            self.target.to(device, non_blocking=True, memory_format=layout),
            self.names,
        )
