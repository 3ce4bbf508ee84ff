"""Example inputs, from a folder or from the test split of the model's run."""

from dataclasses import dataclass

from i2i.demo.beside import EXAMPLES, run_of
from i2i.demo.surface import Surface
from i2i.errors import I2IError
from i2i.images import SUFFIXES
from i2i.images.sheets import spread
from i2i.images.types import Array
from i2i.model.model import Model
from i2i.recipe.assemble import assemble_dataset

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


def examples(model: Model, surface: Surface) -> list[Example]:
    """Find up to `COUNT` example inputs.

    They come from the folder `examples` beside the model file, or else from the test split of the
    model's run. The list is empty if neither is available; that is not an error.
    """
    folder = model.path.parent / EXAMPLES
    found: list[Example] = []
    if folder.is_dir():
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
        for file in files[:COUNT]:
            try:
                found.append(Example(file.stem, surface.read_upload(file)))
            except I2IError:
                continue
        return found
    if run_of(model.path) is None:
        return []
    try:
        pairs = assemble_dataset(model.recipe).pairs("test")
        for pair in (pairs[i] for i in spread(len(pairs), COUNT)):
            found.append(Example(pair.name, surface.from_input(pair.load(surface.size)[0])))
    except I2IError:
        pass  # the run's data are not on this machine
    return found
