"""Batches of images for the networks: float tensors in [−1, 1]."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A batch of pairs, or of inputs and targets that are unpaired.

    Args:
        input: `(N, C, H, W)` in [−1, 1].
        target: `(N, C, H, W)` in [−1, 1].
        names: The names of the pairs, or of the inputs.
        target_names: The names of the targets if they are unpaired, else empty.
    """

    input: Tensor
    target: Tensor
    names: tuple[str, ...]
    target_names: tuple[str, ...] = ()

    def part(self, i: int, parts: int) -> "Batch":
        """Part `i` of `parts` equal parts; `i` starts at 0."""
        n = len(self.names) // parts
        rows = slice(i * n, (i + 1) * n)
        return Batch(self.input[rows], self.target[rows], self.names[rows], self.target_names[rows])

    def to(self, device: torch.device, layout: torch.memory_format) -> "Batch":
        """Copy the batch to a device and memory layout; asynchronously if its memory is pinned."""
        return Batch(
            self.input.to(device, non_blocking=True, memory_format=layout),
            self.target.to(device, non_blocking=True, memory_format=layout),
            self.names,
            self.target_names,
        )
