"""The random draws of a step."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor


class Purpose(IntEnum):
    """What is drawn; different purposes get different numbers."""

    FLIP = 0
    PLACES = 1


class Draws:
    """Draws that depend only on a seed and on the number of steps done.

    So they are the same in all processes, for all parts of a batch, and after a resumption.

    Args:
        seed: The seed.

    Attributes:
        step: Number of steps done.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.step = 0

    def flip(self) -> bool:
        """Whether to mirror the images of this step; with probability 1/2."""
        return bool(self._random(Purpose.FLIP).random() < 0.5)

    def places(self, maps: Sequence[Tensor], number: int) -> list[Tensor]:
        """Different places of each map.

        Args:
            maps: Maps `(N, C, H, W)`.
            number: Largest number of places; a map with fewer gives all.

        Returns:
            For each map, indices `(P,)` among its `H * W` places, for all `N` images.
        """
        random = self._random(Purpose.PLACES)
        sizes = [layer.shape[2] * layer.shape[3] for layer in maps]
        drawn = [random.permutation(size)[:number] for size in sizes]
        return [
            torch.as_tensor(chosen, device=layer.device)
            for chosen, layer in zip(drawn, maps, strict=True)
        ]

    def _random(self, purpose: Purpose) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.step, purpose))
