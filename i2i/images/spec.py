"""One side of pairs: how image files are read as inputs, or as targets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from i2i.errors import DataError
from i2i.images import Mode, Picture, pixels_of, read, read_picture
from i2i.images.pixels import Depth, FloatRange
from i2i.images.types import Array


@dataclass(frozen=True)
class ImageSpec:
    """How the images of one side of pairs are read.

    Args:
        channels: Channels that an image has then.
        mode: As colours, grey values, label indices, or channels as they are in the file.
        depth: Bits a channel.
        background: What transparent pixels show, a colour as Pillow names them.
        float_range: The values of black and white in float images.
        classes: How many classes label indices are spread over, a channel each.
    """

    channels: int = 3
    mode: Mode = "rgb"
    depth: Depth = 8
    background: str = "white"
    float_range: FloatRange | None = None
    classes: int | None = None

    def read(self, path: Path) -> Array:
        """Decode a file; label maps come as indices, which `spread` takes.

        Raises:
            DataError: If it can't be read.
        """
        return read(
            path,
            self.mode,
            depth=self.depth,
            background=self.background,
            float_range=self.float_range,
        )

    def read_picture(self, path: Path) -> Picture:
        """Decode a file at its own depth, but not below this side's, with what else it carries.

        Raises:
            DataError: If it can't be read, or has another number of channels than this side.
        """
        picture = read_picture(
            path,
            self.mode,
            depth=16 if self.depth == 16 else None,
            background=self.background,
            float_range=self.float_range,
        )
        found = picture.pixels.shape[2]
        if self.mode == "channels" and found != self.channels:
            raise DataError([f"{path}: has {found} channels, not {self.channels}"])
        return picture

    def take(self, image: Any) -> Array:
        """An image from anywhere as a network takes it.

        Args:
            image: A path, a Pillow image, or an array `(H, W, C)` or `(H, W)`.

        Returns:
            `(H, W, channels)` in uint8 or uint16.

        Raises:
            DataError: If it can't be read, or has another number of channels than this side.
        """
        if isinstance(image, str | Path):
            array = self.spread(self.read(Path(image)), Path(image))
        else:
            array = pixels_of(image, self.mode, self.background, self.float_range)
            array = self.spread(array, Path("the image"))
        if array.shape[2] != self.channels:
            raise DataError(
                [f"the image has {array.shape[2]} channels, the model takes {self.channels}"]
            )
        return array

    def spread(self, image: Array, path: Path) -> Array:
        """Label indices `(H, W, 1)` as a channel a class: 0, or the full range for the pixel's own.

        Images that are no label maps stay as they are.

        Raises:
            DataError: If there is a label beyond the classes, or more than one channel.
        """
        if self.classes is None:
            return image
        if image.ndim != 3 or image.shape[2] != 1:
            raise DataError([f"{path}: is {image.shape}, not label indices (height, width, 1)"])
        if image.max() >= self.classes:
            raise DataError(
                [f"{path}: holds the label {image.max()}, but there are {self.classes} classes"]
            )
        top = np.uint8(255) if self.depth == 8 else np.uint16(65535)
        spread: Array = (image == np.arange(self.classes)).astype(top.dtype) * top
        return spread
