"""What an export has to tell."""

from dataclasses import dataclass
from pathlib import Path

from i2i.images.types import Size


@dataclass(frozen=True)
class Quantised:
    """What weights in 8 bits cost, as mean absolute differences of values from 0 to 1.

    Args:
        float_bytes: Size of the file without.
        loss: To the outputs without.
        to_target: Of the outputs to their targets; None where these aren't known.
        float_to_target: The same without.
    """

    float_bytes: int
    loss: float
    to_target: float | None
    float_to_target: float | None


@dataclass(frozen=True)
class Exported:
    """A model that was exported and checked.

    Args:
        path: The file.
        bytes: Its size.
        difference: The largest absolute difference from PyTorch, of values in [−1, 1], without
            quantisation.
        images: What it was checked on, in words.
        sizes: Heights and widths that it was checked at.
        fixed: The only height and width that it takes; None where any multiples will do.
        quantised: What int8 costs; None where it wasn't asked for.
        instead: Why that was made-up pictures and not the recipe's data; None where it wasn't.
    """

    path: Path
    bytes: int
    difference: float
    images: str
    sizes: tuple[Size, ...]
    fixed: Size | None
    quantised: Quantised | None = None
    instead: str | None = None
