"""What the page asks for, answered without the page."""

import html
from pathlib import Path

from i2i.demo.examples import Example
from i2i.demo.surface import Surface, data_url
from i2i.errors import DataError
from i2i.images.sizes import size_text
from i2i.images.types import Array
from i2i.model.model import Model

MAX_SAMPLES = 4


class Answers:
    """A model behind a canvas. What comes from a browser is checked here, whatever the page does.

    Args:
        model: The model.
        surface: Its canvas.
        examples: Inputs to begin with.
        max_upload: Bytes that an uploaded file can have.
    """

    def __init__(
        self, model: Model, surface: Surface, examples: list[Example], max_upload: int
    ) -> None:
        self.model = model
        self.surface = surface
        self.examples = examples
        self.max_upload = max_upload

    def translate(self, drawing: object, samples: object = 1) -> str:
        """The translations of a drawing, as the HTML that shows them.

        Args:
            drawing: The data URL of a PNG of the canvas; None or empty for an empty canvas.
            samples: How many; more than one where the model keeps dropout on.

        Raises:
            I2IError: If the drawing is no such thing, or the model can't take it.
        """
        if drawing is None or drawing == "":
            return self.nothing()
        if not isinstance(drawing, str):
            raise DataError(["the drawing is no PNG"])
        count = _count(samples) if self.model.recipe.test.dropout else 1
        image = self.surface.to_input(self.surface.read_drawing(drawing))
        return _shown(
            [self.model(image, sample=sample) for sample in range(count)], self.model.recipe.name
        )

    def nothing(self) -> str:
        """What is shown while nothing is drawn."""
        height, width = self.surface.size
        return (
            '<div class="outputs"><figure><figcaption>Output</figcaption>'
            f'<div class="nothing" style="aspect-ratio: {width} / {height}">'
            "Draw something, or begin with an example.</div></figure></div>"
        )

    def open(self, file: object) -> str:
        """An uploaded file, which is removed, as the data URL of what the canvas then shows.

        Args:
            file: Its path.

        Raises:
            DataError: If it is no file, too large, or can't be read as an input of the model's.
        """
        if not isinstance(file, str | Path) or not Path(file).is_file():
            raise DataError(["there is no such picture: open it again"])
        path = Path(file)
        try:
            size = path.stat().st_size
            if size > self.max_upload:
                raise DataError([too_large(path.name, size, self.max_upload)])
            return data_url(self.surface.read_upload(path))
        finally:
            path.unlink(missing_ok=True)

    def choose(self, index: object) -> str:
        """An example by its place, as the data URL of what the canvas then shows.

        Raises:
            DataError: If there is no such example.
        """
        if type(index) is not int or not 0 <= index < len(self.examples):
            raise DataError(["there is no such example"])
        return data_url(self.examples[index].canvas)


def _count(samples: object) -> int:
    """How many samples a number stands for."""
    if not isinstance(samples, int | float) or isinstance(samples, bool):
        raise DataError(["the number of samples is no number"])
    return int(min(max(1, samples), MAX_SAMPLES))


def too_large(name: str, size: int, limit: int) -> str:
    """What is said of a file of so many bytes."""
    return (
        f"{name}: has {megabytes(size)}; the largest file that is taken here has {megabytes(limit)}"
    )


def megabytes(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1e6:.3g} MB"


def problem(error: Exception) -> str:
    """A message as the page shows it."""
    return f'<p role="alert">{html.escape(str(error))}</p>'


def _shown(outputs: list[Array], name: str) -> str:
    figures = []
    for i, output in enumerate(outputs):
        title = f"Sample {i + 1}" if len(outputs) > 1 else "Output"
        url = data_url(output)
        figures.append(
            f"<figure><figcaption><span>{title}, {size_text(output.shape[:2])}</span>"
            f'<a href="{url}" download="{html.escape(name)}-{i + 1}.png">Save</a></figcaption>'
            f'<img src="{url}" alt="{title}"></figure>'
        )
    several = " several" if len(outputs) > 1 else ""
    return f'<div class="outputs{several}">{"".join(figures)}</div>'
