"""Prepares files for the network: takes a half, resizes it and converts its channels."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from i2i.images import Picture, header, resize
from i2i.images.needs import NeedsOption, advising
from i2i.images.pixels import FloatRange
from i2i.images.types import Array, Size
from i2i.model.model import Model
from i2i.translation.options import Half, Resize


@dataclass(frozen=True)
class Prepared:
    """An input, ready for the network.

    Args:
        array: `(H, W, C)`, the network's input.
        picture: The part of the input that is shown beside outputs (label maps in colours), and
            what is copied to outputs: alpha, colour profile, dots per inch.
    """

    array: Array
    picture: Picture


@dataclass(frozen=True)
class Preparation:
    """How files become inputs of a model.

    With `auto`, a file that looks like a pair of the model's own data is used as in the run's
    evaluation: its input half, resized to the training's crop size. Every other file is used whole
    and at its own size. A file looks like such a pair if the training data are pairs side by side
    and the file has the shape of two training images.

    Args:
        model: The model.
        half: The part of each file that is the input.
        size: The size that inputs are resized to.
        float_range: The values of black and white in files that need them declared.
    """

    model: Model
    half: Half = "auto"
    size: Resize = "auto"
    float_range: FloatRange | None = None

    def pair(self, size: Size) -> bool:
        """Whether a file of this size is treated as a pair of the model's own data."""
        height, width = self.model.recipe.augment.crop
        own = self.model.data.input_half is not None and self.half == "auto"
        return own and size[1] * height == 2 * size[0] * width

    def expect(self, file: Path) -> tuple[Size, bool, bool]:
        """The size of a file's prepared input, and whether it is treated as a pair, and a GeoTIFF.

        Raises:
            DataError: If the file has no valid image header.
        """
        found = header(file, self.model.data.input.mode)
        return self._part(found.size)[1], self.pair(found.size), found.georeferenced

    def prepare(self, file: Path) -> Prepared:
        """Decode a file and prepare it.

        Raises:
            DataError: If the file can't be read, or the model doesn't accept such images.
        """
        side = self.model.data.input
        picture = self._read(file)
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

    def _read(self, file: Path) -> Picture:
        side = self.model.data.input
        with advising(
            float_range="declare it with --float-range BLACK WHITE",
            mode=f"the model takes {'grey' if side.mode == 'gray' else 'RGB'} images",
        ):
            try:
                return side.read_picture(file)
            except NeedsOption as error:
                if error.need != "float_range" or self.float_range is None:
                    raise
                return replace(side, float_range=self.float_range).read_picture(file)

    def _part(self, size: Size) -> tuple[slice, Size]:
        """The columns to take from a file of this size, and the size to resize them to."""
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
