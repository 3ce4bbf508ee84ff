"""Pairs kept to be looked at, and their outputs at different moments: one image a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from i2i.evaluation.translations import Translated
from i2i.images import png_bytes, read
from i2i.images.sheets import shown
from i2i.images.types import Array
from i2i.system.files import safe_join, write_whole

INPUT, TARGET = "input", "target"


@dataclass(frozen=True)
class SampleFolder:
    """A folder of samples: `input/NAME.png`, `target/NAME.png`, and outputs in folders beside them.

    Images are kept as they are shown: 8-bit RGB.
    """

    path: Path

    def write(
        self, translated: Translated, column: str, names: Sequence[str] | None = None
    ) -> None:
        """Keep translations, and their inputs and targets where these aren't there yet.

        Args:
            translated: Pairs and their translations.
            column: The folder of the outputs, such as `step-00000500`.
            names: Which of the pairs; all by default.
        """
        for name, images in zip(translated.names, translated.images(), strict=True):
            if names is not None and name not in names:
                continue
            for folder, image in zip((INPUT, column, TARGET), images, strict=True):
                save(image, self.file(folder, name))

    @property
    def names(self) -> list[str]:
        """The pairs, in the order of their names."""
        inputs = self.path / INPUT
        files = sorted(inputs.rglob("*.png"))
        return [file.relative_to(inputs).as_posix().removesuffix(".png") for file in files]

    def columns(self, pattern: str) -> list[str]:
        """The folders of outputs whose names match a pattern, sorted."""
        return sorted(folder.name for folder in self.path.glob(pattern) if folder.is_dir())

    def rows(self, columns: Sequence[str]) -> list[list[Array]]:
        """For each pair that all columns have: its images, column by column."""
        files = [[self.file(column, name) for column in columns] for name in self.names]
        return [[read(file, "rgb") for file in row] for row in files if all(map(Path.is_file, row))]

    def file(self, column: str, name: str) -> Path:
        """The file of an image; it need not be there."""
        return safe_join(self.path / column, f"{name}.png")


def save(image: Array, file: Path) -> None:
    """Write an image of any depth and number of channels as it is shown; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, png_bytes(shown(image)))
