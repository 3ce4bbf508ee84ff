"""The pool of earlier outputs that a discriminator also sees."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


class Pool:
    """A history of generated images: Shrivastava et al. 2017, as Zhu et al. 2017 use it.

    Until the pool is full, every image is stored and returned. Then every image is returned with
    probability 1/2; otherwise it takes the place of a random stored one, which is returned.

    Args:
        size: Number of images that are stored; 0 stores none.
        seed: Seed of the draws; they depend on it and on the number of images seen only.
    """

    def __init__(self, size: int, seed: tuple[int, ...]) -> None:
        self.size = size
        self.seed = seed
        self.seen = 0
        self.images: list[Tensor] = []

    def exchanged(self, images: Tensor) -> Tensor:
        """Put images `(N, C, H, W)` into the pool, and take as many out."""
        if not self.size:
            return images
        return torch.stack([self._exchanged(image) for image in images])

    def _exchanged(self, image: Tensor) -> Tensor:
        random = np.random.default_rng((*self.seed, self.seen))
        self.seen += 1
        if len(self.images) < self.size:
            self.images.append(image)
            return image
        if random.random() < 0.5:
            return image
        place = int(random.integers(self.size))
        earlier, self.images[place] = self.images[place], image
        return earlier

    def state_dict(self) -> dict[str, Tensor]:
        """The stored images, and the number of images seen."""
        images = torch.stack(self.images) if self.images else torch.empty(0)
        return {"images": images, "seen": torch.tensor(self.seen)}

    def load_state_dict(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: If it has more images than the pool can store.
        """
        if len(state["images"]) > self.size:
            raise ValueError(f"{len(state['images'])} images don't fit into a pool of {self.size}")
        self.images = list(state["images"].to(device))
        self.seen = int(state["seen"])
