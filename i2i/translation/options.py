"""Options of a translation."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from i2i.errors import I2IError
from i2i.images.pixels import FloatRange
from i2i.images.sizes import size_text
from i2i.images.types import Size
from i2i.model.model import Model
from i2i.model.stochastic import is_stochastic

Half = Literal["auto", "whole", "left", "right"]
"""The part of a file that is the input; `Preparation` explains `auto`."""

Resize = Literal["auto", "own", "train"] | Size
"""The size that inputs are resized to: `own` keeps their size, `train` is the training's crop size,
and `Preparation` explains `auto`."""

Format = Literal["auto", "png", "tiff", "jpg"]
"""`auto` is TIFF for TIFF, .npy for .npy, and else PNG, or TIFF if PNG can't store the output."""

MOST_PIXELS = 2**28
"""Largest number of pixels that inputs may be resized to."""


@dataclass(frozen=True)
class TranslationOptions:
    """Everything that outputs depend on besides the model and the inputs.

    Args:
        half: The part of each file that is the input; see `Preparation`.
        size: The size that inputs are resized to; see `Preparation`.
        tile: Height and width of tiles; 0 turns tiling off. See `plan_tiles`.
        overlap: Pixels that neighbouring tiles share; see `plan_tiles`.
        samples: Number of translations of each input; several are named NAME-1, NAME-2, …
        side_by_side: Whether to write the input and its outputs as one row.
        format: The file format of outputs; see `suffix_of`.
        float_range: The values of black and white in inputs of floats or 32-bit integers, if the
            model's data have no such images.
    """

    half: Half = "auto"
    size: Resize = "auto"
    tile: int | None = None
    overlap: int | None = None
    samples: int = 1
    side_by_side: bool = False
    format: Format = "auto"
    float_range: FloatRange | None = None

    def settings(self) -> dict[str, Any]:
        """The options for the record of a translation; a range only if there is one."""
        settings = asdict(self)
        if self.float_range is None:
            del settings["float_range"]
        return settings

    def check(self, model: Model) -> None:
        """Check the options against a model before any work.

        Raises:
            I2IError: If the model doesn't support them, or they contradict each other.
        """
        channels = model.data.target.channels
        if self.format in ("png", "jpg") and not self.side_by_side and channels not in (1, 3):
            raise I2IError(
                f"{self.format} stores 1 or 3 channels, but the model outputs {channels}: choose "
                "the format tiff (--format tiff)"
            )
        if isinstance(self.size, tuple) and self.size[0] * self.size[1] > MOST_PIXELS:
            raise I2IError(f"a size of {size_text(self.size)} is more than {MOST_PIXELS:,} pixels")
        model.tiles((1, 1), self.tile, self.overlap)
        if self.samples > 1 and not is_stochastic(model):
            off = "" if model.recipe.test.dropout else " (its recipe has test.dropout = false)"
            raise I2IError(
                f"all {self.samples} samples would be equal: the model draws no noise{off}"
            )
