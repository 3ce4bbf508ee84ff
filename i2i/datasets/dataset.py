"""The interface of data sets: lists of pairs or of single images, which are decoded on demand."""

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

Direction = Literal["forward", "backward"]
"""What a model translates: `forward`, inputs to targets; `backward`, targets to inputs."""


@dataclass(frozen=True)
class Pair:
    """One input and its target, not yet decoded.

    Args:
        name: Unique within its split; a relative path with `/` and no suffix, safe as a file name.
        load: Decodes the pair at a given size to `(input, target)`, each an `Array` of that size.
            Raises `DataError` if the pair can't be read.
        digest: Computes a SHA-256 of the pair's source: the bytes of its files, or its parameters.
            It identifies decoded copies and data sets.
        files: The pair's files, for messages; empty if the pair is generated.
    """

    name: str
    load: Callable[[Size], tuple[Array, Array]]
    digest: Callable[[], bytes]
    files: tuple[Path, ...] = field(default=())


@dataclass(frozen=True)
class Single:
    """One image without a partner, not yet decoded.

    Args:
        name: Unique within its side of a split; a relative path with `/` and no suffix, safe as a
            file name.
        load: Decodes the image at a given size to an `Array` of that size. Raises `DataError` if
            it can't be read.
        digest: Computes a SHA-256 of the image's source, see `Pair`.
        files: The image's files, for messages; empty if it is generated.
    """

    name: str
    load: Callable[[Size], Array]
    digest: Callable[[], bytes]
    files: tuple[Path, ...] = field(default=())


class Dataset(ABC):
    """Images in three splits: train, val and test; pairs, or inputs and targets that are unpaired.

    Attributes:
        paired: Whether the training images are pairs. If not, `singles` returns them; the other
            splits may still have pairs.
        input_channels: The number of channels of every input image.
        target_channels: The number of channels of every target image.
        dtype: `uint8`, or `uint16` for images with a depth of 16 bits.
        credit: The author and licence of the data, for the report; empty if unknown.
        notice: A warning for readers of the results, for example that the data is a stand-in. It
            is shown on the console, in environment.json and in the report. Usually empty.
        remarks: Lines about how the data were found and what was left out. They are shown before
            the training and by `i2i check`, and stored in environment.json.
        palette: The colours of the label maps by class, 0 to 255; None without label maps.
        labels_side: Which image of a pair is the label map; None if neither or unknown.
        specs: How image files are read as inputs and as targets. None derives this from the number
            of channels and the depth.
        input_half: Which half of a side-by-side file is the input; None for other layouts.
    """

    paired: bool = True
    input_channels: int = 3
    target_channels: int = 3
    dtype: type[np.uint8] | type[np.uint16] = np.uint8
    credit: str = ""
    notice: str = ""
    remarks: tuple[str, ...] = ()
    palette: Mapping[str, tuple[int, int, int]] | None = None
    labels_side: Literal["input", "target"] | None = None
    specs: "tuple[ImageSpec, ImageSpec] | None" = None
    input_half: Literal["left", "right"] | None = None

    @abstractmethod
    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split in a stable order; empty if the split is missing or unpaired.

        Raises:
            DataError: Lists all problems together: missing folders, unpaired files, duplicate
                names, size mismatches, files that are not images.
        """

    def singles(self, split: Split) -> tuple[list[Single], list[Single]]:
        """The inputs and the targets of an unpaired split, each in a stable order.

        Raises:
            DataError: As for `pairs`.
        """
        return [], []
