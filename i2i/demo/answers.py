"""Answers to the page's requests, independent of Gradio."""

import html
from pathlib import Path

from i2i.demo.examples import Example
from i2i.demo.surface import Surface, data_url
from i2i.errors import DataError
from i2i.images.sizes import size_text
from i2i.images.types import Array
from i2i.model.model import Model
from i2i.model.stochastic import is_stochastic

MAX_SAMPLES = 4


class Answers:
    """Translates drawings and opens pictures. All values from a browser are validated here.

    Args:
        model: The model.
        surface: The canvas for the model's inputs.
        examples: Inputs that users can start from.
        max_upload: Largest uploaded file, in bytes.
    """

    def __init__(
        self, model: Model, surface: Surface, examples: list[Example], max_upload: int
    ) -> None:
        self.model = model
        self.surface = surface
        self.examples = examples
        self.max_upload = max_upload
        self.stochastic = is_stochastic(model)

    def translate(self, drawing: object, samples: object = 1) -> str:
        """Translate a drawing and return the HTML that shows the translations.

        Args:
            drawing: The canvas as the data URL of a PNG; None or empty for an empty canvas.
            samples: Number of translations; always 1 if the model draws no noise.

        Raises:
            I2IError: If the drawing is not such a data URL, or the model can't translate it.
        """
        if drawing is None or drawing == "":
            return self.nothing()
        if not isinstance(drawing, str):
            raise DataError(["the drawing is no PNG: load the page again"])
        count = _count(samples)
        image = self.surface.to_input(self.surface.read_drawing(drawing))
        return _shown(
            [self.model(image, sample=i) for i in range(count if self.stochastic else 1)],
            self.model.recipe.name,
        )

    def nothing(self) -> str:
        """The HTML that is shown while the canvas is empty."""
        height, width = self.surface.size
        return (
            '<div class="outputs"><figure><figcaption>Output</figcaption>'
            f'<div class="nothing" style="aspect-ratio: {width} / {height}">'
            "Draw something, or start from an example.</div></figure></div>"
        )

    def open(self, file: object) -> str:
        """Fit an uploaded picture into the canvas, delete the file, and return a data URL.

        Args:
            file: The path of the uploaded file.

        Raises:
            DataError: If the file is missing, too large, or can't be read as an input of the model.
        """
        if not isinstance(file, str | Path) or not Path(file).is_file():
            raise DataError(["there is no such picture on the server: open it again"])
        path = Path(file)
        try:
            size = path.stat().st_size
            if size > self.max_upload:
                raise DataError([too_large(path.name, size, self.max_upload)])
            return data_url(self.surface.read_upload(path))
        finally:
            path.unlink(missing_ok=True)

    def choose(self, index: object) -> str:
        """The example with this index, as a data URL for the canvas.

        Raises:
            DataError: If there is no such example.
        """
        if type(index) is not int or not 0 <= index < len(self.examples):
            raise DataError(["there is no such example"])
        return data_url(self.examples[index].canvas)


def _count(samples: object) -> int:
    """Validate the number of samples and limit it to 1 to `MAX_SAMPLES`."""
    if not isinstance(samples, int | float) or isinstance(samples, bool):
        raise DataError(["the number of samples is no number"])
    return int(min(max(1, samples), MAX_SAMPLES))


def too_large(name: str, size: int, limit: int) -> str:
    """The message for a file that is too large; sizes are in bytes."""
    return f"{name}: has {megabytes(size)}; the largest file allowed here has {megabytes(limit)}"


def megabytes(size: int) -> str:
    """A number of bytes in megabytes, with three digits."""
    return f"{size / 1e6:.3g} MB"


def problem(error: Exception) -> str:
    """An error message as HTML."""
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
