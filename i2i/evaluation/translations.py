"""Translates the pairs of a split with a generator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from i2i.datasets.decoded import Decoded
from i2i.images.tensors import to_float, to_uint
from i2i.images.types import Array
from i2i.metrics.metric import Role
from i2i.model.inference import TestSettings, translate
from i2i.recipe import Recipe


@dataclass(frozen=True)
class Translated:
    """A batch of pairs and their translations, uint8 or uint16 `(N, C, H, W)`."""

    names: tuple[str, ...]
    input: Tensor
    output: Tensor
    target: Tensor

    def on(self, device: torch.device) -> dict[Role, Tensor]:
        """Return inputs, outputs and targets by role, on a device."""
        batches: dict[Role, Tensor]
        batches = {"input": self.input, "output": self.output, "target": self.target}
        return {role: batch.to(device) for role, batch in batches.items()}

    def images(self) -> list[list[Array]]:
        """Return input, output and target of each pair as arrays `(H, W, C)`."""
        roles = (self.input, self.output, self.target)
        arrays = (list(role.numpy().transpose(0, 2, 3, 1)) for role in roles)
        return [list(images) for images in zip(*arrays, strict=True)]


def translate_pairs(
    generator: nn.Module,
    decoded: Decoded,
    recipe: Recipe,
    device: torch.device,
    indices: Sequence[int] | None = None,
) -> Iterator[Translated]:
    """Translate pairs of a split batch by batch, with the settings in the recipe's `[test]`.

    Args:
        generator: The generator, on the device.
        decoded: The split.
        recipe: The recipe of the run.
        device: Where to compute.
        indices: Indices of the pairs to translate; all by default.

    Yields:
        Batches of `recipe.test.batch_size` pairs; the last one may be smaller.
    """
    chosen = list(range(len(decoded.names)) if indices is None else indices)
    for first in range(0, len(chosen), recipe.test.batch_size):
        batch = chosen[first : first + recipe.test.batch_size]
        pairs = torch.from_numpy(decoded.array[batch])
        inputs, targets = pairs[:, : decoded.input_channels], pairs[:, decoded.input_channels :]
        outputs = translate(generator, to_float(inputs).to(device), TestSettings.of(recipe))
        names = tuple(decoded.names[i] for i in batch)
        yield Translated(names, inputs, to_uint(outputs, pairs.dtype).cpu(), targets)
