"""Sample images of a run: some pairs, and their outputs at different steps, one file each."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2i.errors import DataError
from i2i.evaluation.translations import Translated
from i2i.images import png_bytes, read
from i2i.images.sheets import shown
from i2i.images.types import Array
from i2i.system.files import safe_join, write_whole

INPUT, TARGET = "input", "target"


@dataclass(frozen=True)
class SampleFolder:
    """A folder of sample images, written as 8-bit RGB.

    It contains `input/NAME.png`, `target/NAME.png`, and a folder of outputs for each step, such as
    `step-00000500/NAME.png`.
    """

    path: Path

    def write(
        self, translated: Translated, column: str, names: Sequence[str] | None = None
    ) -> None:
        """Write translations with their inputs and targets.

        Args:
            translated: Pairs and their translations.
            column: The name of the folder for the outputs, such as `step-00000500`.
            names: Names of the pairs to write; all by default.
        """
        for name, images in zip(translated.names, translated.images(), strict=True):
            if names is not None and name not in names:
                continue
            for folder, image in zip((INPUT, column, TARGET), images, strict=True):
                save(image, self.file(folder, name))

    @property
    def names(self) -> list[str]:
        """The names of the pairs, sorted."""
        inputs = self.path / INPUT
        files = sorted(inputs.rglob("*.png"))
        return [file.relative_to(inputs).as_posix().removesuffix(".png") for file in files]

    def columns(self, pattern: str) -> list[str]:
        """Return the names of the folders that match a pattern, sorted."""
        return sorted(folder.name for folder in self.path.glob(pattern) if folder.is_dir())

    def rows(self, columns: Sequence[str]) -> list[list[Array]]:
        """Read the images of each pair, in the order of the columns.

        A pair with an image that is missing or damaged is left out, the latter with a warning.
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
