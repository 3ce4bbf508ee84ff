"""The results that an export returns."""

from dataclasses import dataclass
from pathlib import Path

from i2i.images.types import Size


@dataclass(frozen=True)
class Quantised:
    """The loss by int8 quantisation, as mean absolute differences of values from 0 to 1.

    Args:
        float_bytes: File size before quantisation.
        loss: Difference between the outputs with and without quantisation.
        to_target: Difference between quantised outputs and targets; None without targets.
        float_to_target: Difference between unquantised outputs and targets; None without targets.
    """

    float_bytes: int
    loss: float
    to_target: float | None
    float_to_target: float | None


@dataclass(frozen=True)
class Exported:
    """An exported and checked model.

    Args:
        path: The file.
        bytes: Its size.
        difference: The largest absolute difference from PyTorch without quantisation, for values
            in [−1, 1].
        images: The images it was checked on, as text.
        sizes: Heights and widths that it was checked at.
        fixed: The only height and width that it accepts; None if it accepts any multiples.
        quantised: The loss by int8 quantisation; None without int8.
        instead: Why the check was on synthetic images; None if it wasn't.
    """

    path: Path
    bytes: int
    difference: float
    images: str
    sizes: tuple[Size, ...]
    fixed: Size | None
    quantised: Quantised | None = None
    instead: str | None = None
