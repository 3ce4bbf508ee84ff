"""From a file to what the network sees: its half, its size, its channels."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from i2i.images import Picture, header, resize
from i2i.images.types import Array, Size
from i2i.model.model import Model
from i2i.translation.options import Half, Resize


@dataclass(frozen=True)
class Prepared:
    """An input, ready for the network.

    Args:
        array: `(H, W, C)` as the network is given it.
        picture: What of it is shown, label maps in colours, and carried over: alpha, profile, dots
            per inch.
    """

    array: Array
    picture: Picture


@dataclass(frozen=True)
class Preparation:
    """How files become inputs of a model.

    Left to itself, a file that looks like the model's own data, where that is pairs side by side
    (so it is twice as wide as the training's images), is taken as the run's evaluation takes it:
    its input half, at the size of the training. All else is taken whole and at its own size.

    Args:
        model: The model.
        half: Which part of files is taken.
        size: The size that is brought to.
    """

    model: Model
    half: Half = "auto"
    size: Resize = "auto"

    def pair(self, size: Size) -> bool:
        """Whether a file of that size is taken for a pair of the model's own data."""
        height, width = self.model.recipe.augment.crop
        own = self.model.data.input_half is not None and self.half == "auto"
        return own and size[1] * height == 2 * size[0] * width

    def expect(self, file: Path) -> tuple[Size, bool]:
        """The size that a file's input will have, and whether the file is taken for a pair.

        Raises:
            DataError: If its header isn't that of an image.
        """
        size = header(file, self.model.data.input.mode).size
        return self._part(size)[1], self.pair(size)

    def prepare(self, file: Path) -> Prepared:
        """Decode a file and make it an input.

        Raises:
            DataError: If it can't be read or isn't what the model takes.
        """
        side = self.model.data.input
        picture = side.read_picture(file)
        columns, size = self._part((picture.pixels.shape[0], picture.pixels.shape[1]))

        def part(array: Array) -> Array:
            taken = np.ascontiguousarray(array[:, columns])
            return resize(taken, size, labels=side.mode == "labels")

        pixels = part(picture.pixels)
        alpha = None if picture.alpha is None else part(picture.alpha)
        array = side.spread(pixels, file)
        if side.mode == "labels":
            colours = np.array(list(self.model.data.class_colours.values()), np.uint8)
            pixels = colours[pixels[..., 0]]
        return Prepared(array, replace(picture, pixels=pixels, alpha=alpha))

    def _part(self, size: Size) -> tuple[slice, Size]:
        """Which columns are taken of a file of that size, and the size they are brought to."""
        height, width = size
        pair = self.pair(size)
        half = self.model.data.input_half if pair else self.half
        columns = slice(None)
        if half == "left":
            columns = slice(0, width // 2)
        elif half == "right":
            columns = slice(width // 2, None)
        if self.size == "train" or (self.size == "auto" and pair):
            return columns, self.model.recipe.augment.crop
        if isinstance(self.size, tuple):
            return columns, self.size
        return columns, (height, len(range(*columns.indices(width))))
