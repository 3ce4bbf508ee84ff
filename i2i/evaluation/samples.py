"""Sample images of a run: some inputs, and their outputs at different steps, one file each."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import DataError
from i2i.evaluation.translations import Translated, arrays_of
from i2i.images import png_bytes, read
from i2i.images.sheets import shown
from i2i.images.types import Array
from i2i.system.files import safe_join, write_whole

INPUT, TARGET = "input", "target"

BACK = "back"
"""The column of outputs that were translated back."""


@dataclass(frozen=True)
class SampleFolder:
    """A folder of sample images, written as 8-bit RGB.

    It contains `input/NAME.png`, a folder of outputs for each step, such as
    `step-00000500/NAME.png`, and `target/NAME.png` if the images are pairs. Where a model of the
    way back is at hand, `back/NAME.png` is the newest output translated back.
    """

    path: Path

    def write(self, translated: Translated, column: str) -> list[Path]:
        """Write translations with their inputs and targets.

        Args:
            translated: Images and their translations.
            column: The name of the folder for the outputs, such as `step-00000500`.

        Returns:
            The files.
        """
        columns = {
            INPUT: translated.input,
            column: translated.output,
            BACK: translated.back,
            TARGET: translated.target,
        }
        written = []
        for folder, images in columns.items():
            if images is None:
                continue
            for name, image in zip(translated.names, arrays_of(images), strict=True):
                written.append(self.file(folder, name))
                save(image, written[-1])
        return written

    @property
    def names(self) -> list[str]:
        """The names of the images, sorted."""
        inputs = self.path / INPUT
        files = sorted(inputs.rglob("*.png"))
        return [file.relative_to(inputs).as_posix().removesuffix(".png") for file in files]

    def columns(self, pattern: str) -> list[str]:
        """Return the names of the folders that match a pattern, sorted."""
        return sorted(folder.name for folder in self.path.glob(pattern) if folder.is_dir())

    def shown(self, *outputs: str) -> list[str]:
        """Return the columns to show: inputs, outputs, and those of back and targets there are."""
        there = [column for column in (BACK, TARGET) if (self.path / column).is_dir()]
        return [INPUT, *outputs, *there]

    def rows(self, columns: Sequence[str]) -> list[list[Array]]:
        """Read the images of each row, in the order of the columns.

        A row with an image that is missing or damaged is left out, the latter with a warning.
        """
        rows = []
        for name in self.names:
            files = [self.file(column, name) for column in columns]
            if all(map(Path.is_file, files)):
                with left_out_if_damaged():
                    rows.append([read(file, "rgb") for file in files])
        return rows

    def file(self, column: str, name: str) -> Path:
        """Return the path of an image; the file may not exist."""
        return safe_join(self.path / column, f"{name}.png")


@contextmanager
def left_out_if_damaged() -> Iterator[None]:
    """Turn the error of a damaged image into a warning."""
    try:
        yield
    except DataError as error:
        warnings.warn(f"left out of the report: {error}", stacklevel=3)


def save(image: Array, file: Path) -> None:
    """Write an image as 8-bit RGB, whatever its depth and channels; create missing folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, png_bytes(shown(image)))
