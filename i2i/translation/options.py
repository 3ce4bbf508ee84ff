"""What a user may ask of a translation."""

from dataclasses import dataclass
from typing import Literal

from i2i.errors import I2IError
from i2i.images.sizes import size_text
from i2i.images.types import Size
from i2i.model.model import Model

Half = Literal["auto", "whole", "left", "right"]
"""Which part of a file is the input; `auto` is `Preparation`'s rule."""

Resize = Literal["auto", "own", "train"] | Size
"""The size that inputs are brought to: `auto` is `Preparation`'s rule, `own` leaves them as they
are, `train` is the size of the training."""

Format = Literal["auto", "png", "tiff", "jpg"]
"""`auto` is TIFF for TIFF, .npy for .npy, and else PNG, or TIFF where PNG can't hold it."""

MOST_PIXELS = 2**28
"""Of a size that inputs are brought to."""


@dataclass(frozen=True)
class TranslationOptions:
    """How files are translated; all that outputs depend on besides the model and the inputs.

    Args:
        half: Which part of files is the input, see `Preparation`.
        size: The size that inputs are brought to, see `Preparation`.
        tile: Height and width of tiles, 0 for none, see `plan_tiles`.
        overlap: Pixels that tiles share, see `plan_tiles`.
        samples: How many of the possible translations of each; several are named NAME-1, NAME-2, …
        side_by_side: Write input and outputs in one row.
        format: The format of outputs, see `suffix_of`.
    """

    half: Half = "auto"
    size: Resize = "auto"
    tile: int | None = None
    overlap: int | None = None
    samples: int = 1
    side_by_side: bool = False
    format: Format = "auto"

    def check(self, model: Model) -> None:
        """Find out before the work whether a model can do this.

        Raises:
            I2IError: If it can't, or options contradict each other.
        """
        channels = model.data.target.channels
        if self.format in ("png", "jpg") and not self.side_by_side and channels not in (1, 3):
            raise I2IError(
                f"{self.format} holds 1 or 3 channels, the model gives {channels}: choose the "
                "format tiff"
            )
        if self.samples > 1 and not model.recipe.test.dropout:
            raise I2IError(
                f"all {self.samples} samples would be the same: dropout is the only noise, and the "
                "model's recipe turns it off (test.dropout = false)"
            )
        if isinstance(self.size, tuple) and self.size[0] * self.size[1] > MOST_PIXELS:
            raise I2IError(f"a size of {size_text(self.size)} is more than {MOST_PIXELS:,} pixels")
        model.tiles((1, 1), self.tile, self.overlap)
