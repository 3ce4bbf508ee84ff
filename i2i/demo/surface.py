"""What is drawn on: its size, what may come onto it, and how it becomes a model's input."""

import base64
import binascii
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from i2i.demo.brushes import brushes
from i2i.errors import DataError
from i2i.images import header, pixels, pixels_of, png_bytes, read, resize
from i2i.images.sizes import size_text
from i2i.images.types import Array, Size
from i2i.model.model import Model

SIDE = 512
"""Pixels that the longer side of a canvas has, about."""

MAX_PIXELS = 50_000_000
"""Of an uploaded picture, before it is fitted in."""

_DATA_URL = "data:image/png;base64,"


class Surface:
    """A canvas for a model's inputs.

    It is a whole number of times as large as the images that the model was trained on, and what is
    drawn is made smaller to just their size: lines are then as wide as those it knows.

    Args:
        model: The model; see `brushes` for what can be drawn.
    """

    def __init__(self, model: Model) -> None:
        self.side = model.data.input
        self.brushes = brushes(model.data)
        self.trained: Size = model.recipe.augment.crop
        factor = max(1, round(SIDE / max(self.trained)))
        self.size: Size = (self.trained[0] * factor, self.trained[1] * factor)
        self._palette = np.array(list(self.brushes.colours.values()), np.int32)

    @property
    def max_drawing(self) -> int:
        """Characters that the data URL of a drawing can have: PNG hardly exceeds bare pixels."""
        height, width = self.size
        return len(_DATA_URL) + (height * (4 * width + 1) * 11 // 10 + 4096) * 4 // 3

    def read_drawing(self, url: str) -> Array:
        """The canvas as the browser sent it, of which nothing is taken for granted.

        Args:
            url: A PNG of the canvas's size as a data URL.

        Returns:
            `(H, W, 3)` uint8 of the canvas's size.

        Raises:
            DataError: If it is anything else.
        """
        if len(url) > self.max_drawing or not url.startswith(_DATA_URL):
            raise DataError(["the drawing is no PNG of the canvas's size"])
        try:
            content = base64.b64decode(url.removeprefix(_DATA_URL), validate=True)
        except binascii.Error as error:
            raise DataError(["the drawing is no PNG"]) from error
        with tempfile.TemporaryDirectory(prefix="i2i-") as folder:
            path = Path(folder) / "drawing.png"
            path.write_bytes(content)
            with _called("the drawing", path):
                if header(path).size != self.size:
                    raise DataError([f"{path}: isn't {size_text(self.size)}"])
                return read(path)

    def read_upload(self, path: Path) -> Array:
        """Any picture, fitted into the canvas: all of it, with margins where its shape is another.

        Returns:
            `(H, W, 3)` uint8 of the canvas's size.

        Raises:
            DataError: Naming the file, but not where it lies, if it can't be read as an input, or
                has more pixels than `MAX_PIXELS`.
        """
        with _called(path.name, path):
            height, width = header(path, self.side.mode).size
            if height * width > MAX_PIXELS:
                raise DataError(
                    [
                        f"{path}: has {height * width:,} pixels; the largest picture that is taken "
                        f"here has {MAX_PIXELS:,}"
                    ]
                )
            if self.side.mode == "labels":
                return self._fitted(self._coloured(self.side.read(path)))
            background, float_range = self.side.background, self.side.float_range
            picture = read(path, background=background, float_range=float_range)
            if self.side.channels == 1:
                picture = pixels.as_rgb(pixels.as_gray(picture))
            return self._fitted(picture)

    def from_input(self, array: Array) -> Array:
        """An input `(h, w, C)` as a data set gives it, on the canvas.

        Raises:
            DataError: If it isn't what the model takes.
        """
        if self.side.mode == "labels":
            return self._fitted(self._coloured(array.argmax(axis=2)[..., None]))
        return self._fitted(pixels.to_depth(pixels_of(array), 8))

    def to_input(self, canvas: Array) -> Array:
        """What the model is given for a canvas `(H, W, 3)`: an image of the size it was trained at.

        Between two classes there is no third: label maps take the class that is nearest.

        Returns:
            `(h, w, 3)` uint8; `(h, w, 1)` label indices where that is what the model takes.
        """
        if not self.brushes.labels:
            return resize(canvas, self.trained)
        classes = resize(self._classes(canvas), self.trained, labels=True)
        return classes if self.side.mode == "labels" else self._coloured(classes)

    def _fitted(self, picture: Array) -> Array:
        height, width = picture.shape[:2]
        scale = min(self.size[0] / height, self.size[1] / width)
        inner = (
            min(self.size[0], max(1, round(height * scale))),
            min(self.size[1], max(1, round(width * scale))),
        )
        labels = self.brushes.labels
        picture = resize(picture, inner, labels=labels)
        if labels:
            picture = self._coloured(self._classes(picture))
        canvas = np.full((*self.size, 3), self.brushes.background, np.uint8)
        top, left = (self.size[0] - inner[0]) // 2, (self.size[1] - inner[1]) // 2
        canvas[top : top + inner[0], left : left + inner[1]] = picture
        return canvas

    def _classes(self, picture: Array) -> Array:
        """The nearest class of each pixel, `(H, W, 1)` uint8."""
        colours = picture.astype(np.int32)
        classes = np.zeros(picture.shape[:2], np.uint8)
        least = np.full(picture.shape[:2], np.iinfo(np.int32).max, np.int32)
        for i, colour in enumerate(self._palette):
            distance = np.square(colours - colour).sum(axis=2, dtype=np.int32)
            classes[distance < least] = i
            least = np.minimum(least, distance)
        return classes[..., None]

    def _coloured(self, classes: Array) -> Array:
        if classes.max() >= len(self._palette):
            raise DataError(
                [f"holds the label {classes.max()}, but there are {len(self._palette)} classes"]
            )
        coloured: Array = self._palette[classes[..., 0]].astype(np.uint8)
        return coloured


@contextmanager
def _called(name: str, path: Path) -> Iterator[None]:
    """Have errors within call a file by a name, and not by where it lies on this machine."""
    try:
        yield
    except DataError as error:
        problems = [problem.replace(str(path), name) for problem in error.problems]
        raise DataError(problems) from error


def data_url(picture: Array) -> str:
    """A picture `(H, W, C)` of 1 or 3 channels as a PNG that a page shows without a file."""
    return _DATA_URL + base64.b64encode(png_bytes(picture)).decode("ascii")
