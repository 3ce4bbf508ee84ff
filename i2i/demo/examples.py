"""Example inputs: those that lie with the model, or those that the user names."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from i2i.demo.beside import examples_of, images_in
from i2i.demo.surface import Surface
from i2i.errors import DataError, I2IError
from i2i.images.types import Array
from i2i.model.model import Model

COUNT = 8


@dataclass(frozen=True, eq=False)
class Example:
    """An input that users can start from.

    Args:
        name: Its name.
        canvas: The input on the canvas: `(H, W, 3)` uint8 of the canvas's size.
    """

    name: str
    canvas: Array


def examples(model: Model, surface: Surface, folder: Path | None = None) -> list[Example]:
    """Load up to `COUNT` example inputs.

    Args:
        model: The model.
        surface: The canvas.
        folder: A folder of inputs; by default those that lie with the model, see `examples_of`.
            The data that its recipe names is not opened: a run may come from a stranger, and the
            page or a Space would publish what it names.

    Returns:
        The examples. Of those that lie with the model, unreadable ones are left out.

    Raises:
        DataError: If an image in `folder` can't be read as an input, or there is none.
    """
    if folder is not None:
        files = images_in(folder)[:COUNT]
        if not files:
            raise DataError([f"{folder}: has no images"])
        return [_example(file, surface) for file in files]
    found = []
    for file in examples_of(model.path, COUNT):
        with suppress(I2IError):
            found.append(_example(file, surface))
    return found


def _example(file: Path, surface: Surface) -> Example:
    return Example(file.stem, surface.read_upload(file))
