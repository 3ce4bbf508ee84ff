"""The canvas: its size, what can be loaded onto it, and how it becomes a model's input."""

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
"""Approximate length of a canvas's longer side, in pixels."""

MAX_PIXELS = 50_000_000
"""Largest number of pixels of an uploaded picture, before it is resized to the canvas."""

_DATA_URL = "data:image/png;base64,"


class Surface:
    """A canvas for a model's inputs.

    Its size is an integer multiple of the size of the training images. Drawings are reduced to
    exactly that size, so that lines are as wide as in the training images.

    Args:
        model: The model; `brushes` says which inputs can be drawn.
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
        """Longest data URL of a drawing, in characters: a PNG is hardly larger than raw pixels."""
        height, width = self.size
        return len(_DATA_URL) + (height * (4 * width + 1) * 11 // 10 + 4096) * 4 // 3

    def read_drawing(self, url: str) -> Array:
        """Validate and decode the drawing that a browser sent.

        Args:
            url: A PNG of the canvas's size as a data URL.

        Returns:
            `(H, W, 3)` uint8 of the canvas's size.

        Raises:
            DataError: If `url` is anything else.
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
            with _named("the drawing", path):
                if header(path).size != self.size:
                    raise DataError([f"{path}: isn't {size_text(self.size)}"])
                return read(path)

    def read_upload(self, path: Path) -> Array:
        """Read a picture and fit all of it into the canvas, with margins if its shape differs.

        Returns:
            `(H, W, 3)` uint8 of the canvas's size.

        Raises:
            DataError: If the picture can't be read as an input or has more than `MAX_PIXELS`. The
                message gives the file's name, but not its folder.
        """
        with _named(path.name, path):
            height, width = header(path, self.side.mode).size
            if height * width > MAX_PIXELS:
                raise DataError(
                    [
                        f"{path}: has {height * width:,} pixels; the largest picture allowed here "
                        f"has {MAX_PIXELS:,}"
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
        """Fit an input `(h, w, C)` from a data set into the canvas.

        Raises:
            DataError: If the input doesn't match the model.
        """
        if self.side.mode == "labels":
            return self._fitted(self._coloured(array.argmax(axis=2)[..., None]))
        return self._fitted(pixels.to_depth(pixels_of(array), 8))

    def to_input(self, canvas: Array) -> Array:
        """Convert a canvas `(H, W, 3)` to a model input of the training size.

        For label maps, each pixel gets the class with the nearest colour.

        Returns:
            `(h, w, 3)` uint8, or floats if the model's data have a `float_range`, or `(h, w, 1)`
            class indices if the model takes label maps.
        """
        if not self.brushes.labels:
            return self._as_in_files(resize(canvas, self.trained))
        classes = resize(self._classes(canvas), self.trained, labels=True)
        return classes if self.side.mode == "labels" else self._coloured(classes)

    def _as_in_files(self, canvas: Array) -> Array:
        """The values that a file has for these shades from black to white."""
        if self.side.float_range is None:
            return canvas
        black, white = self.side.float_range
        return black + canvas * ((white - black) / 255)

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
        """The class with the nearest colour for each pixel, `(H, W, 1)` uint8."""
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
def _named(name: str, path: Path) -> Iterator[None]:
    """Replace the path by a name in errors, so that users don't see the server's folders."""
    try:
        yield
    except DataError as error:
        problems = [problem.replace(str(path), name) for problem in error.problems]
        raise DataError(problems) from error


def data_url(picture: Array) -> str:
    """A picture `(H, W, C)` of 1 or 3 channels as the data URL of a PNG."""
    return _DATA_URL + base64.b64encode(png_bytes(picture)).decode("ascii")
