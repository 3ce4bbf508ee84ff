"""What a dataset is: three lists of pairs, decoded only when asked."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from i2i.images.types import Array, Size

if TYPE_CHECKING:
    from i2i.images.spec import ImageSpec


Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Pair:
    """One input and its target, not yet decoded.

    Args:
        name: Unique within its split; a relative path with `/` and no suffix, safe as a file name.
        load: Decodes the pair at the size asked for: `(input, target)`, each an `Array` of that
            size. Raises `DataError` where the pair can't be read.
        digest: The SHA-256 of what the pair is made from (its files' bytes, or its parameters), so
            that a decoded copy can be kept and a data set told from another.
        files: The files it is read from, for messages; none where it is made on the spot.
    """

    name: str
    load: Callable[[Size], tuple[Array, Array]]
    digest: Callable[[], bytes]
    files: tuple[Path, ...] = field(default=())


class Dataset(ABC):
    """Pairs of images in three splits.

    Attributes:
        input_channels: Channels of every input image.
        target_channels: Channels of every target image.
        dtype: `uint8`, or `uint16` where images are read at full depth.
        credit: Who made the data and under which licence, for the report; empty if unknown.
        notice: What a reader of the results must know about this data, such as that it is a
            stand-in; shown on the console, in environment.json and in the report. Empty if nothing.
        palette: The colours of its label maps by class, 0 to 255, where it has any.
        labels_side: Which image of a pair is the label map, where one is known to be.
        specs: How image files are read as inputs and as targets; None where it is enough to know
            their channels and depth.
        input_half: Which half of the data's own files is the input, where they are pairs side by
            side.
    """

    input_channels: int = 3
    target_channels: int = 3
    dtype: type[np.uint8] | type[np.uint16] = np.uint8
    credit: str = ""
    notice: str = ""
    palette: Mapping[str, tuple[int, int, int]] | None = None
    labels_side: Literal["input", "target"] | None = None
    specs: "tuple[ImageSpec, ImageSpec] | None" = None
    input_half: Literal["left", "right"] | None = None

    @abstractmethod
    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split in a stable order; empty where the data has no such split.

        Raises:
            DataError: With every problem found at once: a missing folder, an unpaired file, a
                duplicate stem, a size mismatch, a file that is not an image.
        """
