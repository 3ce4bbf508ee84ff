"""Translates the inputs of a split with a generator."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from i2i.datasets.dataset import Direction
from i2i.datasets.decoded import Decoded
from i2i.datasets.unpaired import Unpaired
from i2i.images.tensors import to_float, to_uint
from i2i.images.types import Array
from i2i.metrics.metric import Role
from i2i.model.inference import TestSettings, translate
from i2i.recipe import Recipe

Images = Decoded | Unpaired
"""The images of a split: pairs, or inputs and targets that are unpaired."""


@dataclass(frozen=True)
class Translated:
    """A batch of inputs and their translations, uint8 or uint16 `(N, C, H, W)`.

    Args:
        names: The names of the inputs.
        input: The inputs.
        output: Their translations.
        target: The targets; None if the images are unpaired.
        back: The translations of the outputs by a model of the way back; None without one.
    """

    names: tuple[str, ...]
    input: Tensor
    output: Tensor
    target: Tensor | None = None
    back: Tensor | None = None

    def on(self, device: torch.device) -> dict[Role, Tensor]:
        """Return inputs, outputs and targets by role, on a device."""
        batches: dict[Role, Tensor] = {"input": self.input, "output": self.output}
        if self.target is not None:
            batches["target"] = self.target
        return {role: batch.to(device) for role, batch in batches.items()}

    def only(self, names: Collection[str]) -> "Translated | None":
        """Return those of the given names; None if there are none."""
        rows = [i for i, name in enumerate(self.names) if name in names]
        if not rows:
            return None
        return Translated(
            tuple(self.names[i] for i in rows),
            self.input[rows],
            self.output[rows],
            None if self.target is None else self.target[rows],
        )


def inputs_of(images: Images) -> Decoded:
    """The images of a split that are translated: its pairs or its inputs."""
    return images if isinstance(images, Decoded) else images.inputs


def targets_of(images: Images) -> Decoded:
    """The images of a split that translations are compared with: its pairs or its targets."""
    return images if isinstance(images, Decoded) else images.targets


def way_back(
    models: Mapping[str, nn.Module], directions: Mapping[str, Direction], name: str
) -> nn.Module | None:
    """The first model of the other direction than that of a name; None if there is none."""
    others = (other for other, way in directions.items() if way != directions[name])
    return next((models[other] for other in others), None)


def translate_images(
    generator: nn.Module,
    images: Images,
    recipe: Recipe,
    device: torch.device,
    indices: Sequence[int] | None = None,
) -> Iterator[Translated]:
    """Translate inputs of a split batch by batch, with the settings in the recipe's `[test]`.

    Args:
        generator: The generator, on the device.
        images: The split.
        recipe: The recipe of the run.
        device: Where to compute.
        indices: Indices of the inputs to translate; all by default.

    Yields:
        Batches of `recipe.test.batch_size` images; the last one may be smaller.
    """
    inputs = inputs_of(images)
    chosen = list(range(len(inputs)) if indices is None else indices)
    for first in range(0, len(chosen), recipe.test.batch_size):
        batch = chosen[first : first + recipe.test.batch_size]
        shown, targets = inputs.sides(batch)
        yield Translated(
            tuple(inputs.names[i] for i in batch),
            shown,
            _translated(generator, shown, recipe, device),
            targets if isinstance(images, Decoded) else None,
        )


def translated_back(
    translated: Translated, back: nn.Module | None, recipe: Recipe, device: torch.device
) -> Translated:
    """Add the outputs translated back by a generator of the other direction, if there is one."""
    if back is None:
        return translated
    return replace(translated, back=_translated(back, translated.output, recipe, device))


def _translated(
    generator: nn.Module, images: Tensor, recipe: Recipe, device: torch.device
) -> Tensor:
    outputs = translate(generator, to_float(images).to(device), TestSettings.of(recipe))
    return to_uint(outputs, images.dtype).cpu()


def arrays_of(images: Tensor) -> list[Array]:
    """Return a batch `(N, C, H, W)` as arrays `(H, W, C)`."""
    return list(images.numpy().transpose(0, 2, 3, 1))
