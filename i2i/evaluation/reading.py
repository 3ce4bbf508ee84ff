"""How `i2i eval` reads the images of folders."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from i2i.images import header, read
from i2i.images.needs import NeedsOption, advising
from i2i.images.pixels import FloatRange
from i2i.images.sizes import size_text
from i2i.images.types import Array

Mode = Literal["rgb", "gray", "channels"]


@dataclass(frozen=True)
class Reading:
    """How images are read, always at 8 bits.

    Args:
        mode: As colour, as grey, or with all channels of the files.
        float_range: The values of black and white in files of floats or 32-bit integers. Other
            files have their type's full range.
    """

    mode: Mode = "rgb"
    float_range: FloatRange | None = None

    def read(self, file: Path) -> Array:
        """Decode a file to `(H, W, C)` uint8.

        Raises:
            DataError: If it can't be read so; the message says which option of `i2i eval` helps.
        """
        with advising(
            float_range="declare it with --float-range BLACK WHITE", mode="use --mode channels"
        ):
            try:
                return read(file, self.mode)
            except NeedsOption as error:
                if error.need != "float_range" or self.float_range is None:
                    raise
                return read(file, self.mode, float_range=self.float_range)

    def shape(self, file: Path) -> str:
        """Height, width and, if they are all read, the channels of a file, for messages.

        Raises:
            DataError: If its header can't be read.
        """
        found = header(file, self.mode)
        size = size_text(found.size)
        return f"{size} with {found.channels} channels" if self.mode == "channels" else size

    def settings(self) -> Mapping[str, Any]:
        """What differs from the default, for fingerprints."""
        settings = {"mode": self.mode, "float_range": self.float_range}
        return {key: value for key, value in settings.items() if value != getattr(AS_COLOUR, key)}


AS_COLOUR = Reading()
