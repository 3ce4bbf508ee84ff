"""How image files are read as inputs or as targets."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from i2i.errors import DataError
from i2i.images import Mode, Picture, pixels_of, read_picture
from i2i.images.content import Palette
from i2i.images.pixels import Depth, FloatRange
from i2i.images.types import Array


@dataclass(frozen=True)
class ImageSpec:
    """How the images of one side (input or target) are read.

    Args:
        channels: The number of channels after reading.
        mode: Read as colour, as grey, as label indices, or with all channels of the file.
        depth: Bits per channel.
        background: The colour behind transparent pixels, as a Pillow colour name.
        float_range: The values of black and white in the files, of any type.
        classes: The number of classes of label maps; each class becomes one channel.
        colours: The palette of the training's label maps; None without one. Label maps that give
            its colours to other classes are refused. `repr` leaves it out, and so do the digests
            of data.
    """

    channels: int = 3
    mode: Mode = "rgb"
    depth: Depth = 8
    background: str = "white"
    float_range: FloatRange | None = None
    classes: int | None = None
    colours: Palette | None = field(default=None, repr=False)

    def read(self, path: Path) -> Array:
        """Decode a file; label maps are returned as indices, the input of `spread`.

        Raises:
            DataError: If the file can't be read, or is a label map with another palette.
        """
        return self._read(path, self.depth).pixels

    def read_picture(self, path: Path) -> Picture:
        """Decode a file with its alpha, profile and dpi, at its own depth or deeper.

        The depth is 16 if this side's depth is 16, else the depth of the file.

        Raises:
            DataError: If the file can't be read, its number of channels is not this side's, or it
                is a label map with another palette.
        """
        picture = self._read(path, 16 if self.depth == 16 else None)
        found = picture.pixels.shape[2]
        if self.mode == "channels" and found != self.channels:
            raise DataError([f"{path}: has {found} channels, not {self.channels}"])
        return picture

    def take(self, image: Any) -> Array:
        """Convert an image file or an image in memory to the array that a network takes.

        Args:
            image: A path, a Pillow image, or an array `(H, W, C)` or `(H, W)`.

        Returns:
            `(H, W, channels)` in uint8 or uint16.

        Raises:
            DataError: If the file can't be read, or its number of channels is not this side's.
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

    def _read(self, path: Path, depth: Depth | None) -> Picture:
        picture = read_picture(
            path,
            self.mode,
            depth=depth,
            background=self.background,
            float_range=self.float_range,
        )
        if self.colours is not None and picture.palette is not None:
            self._check_palette(path, picture.pixels, picture.palette)
        return picture

    def _check_palette(self, path: Path, indices: Array, own: Palette) -> None:
        """Raise a DataError if colours of the data's palette are other classes in this picture.

        A palette that shares no colour with that of the data is a colouring like any other.
        """
        known = self.colours or ()
        used = {i: own[i] for i in np.unique(indices[indices < len(own)]).tolist()}
        if set(known).isdisjoint(used.values()):
            return
        for index, colour in used.items():
            places = [place for place, other in enumerate(known) if other == colour]
            if index < len(known):
                differs = known[index] != colour
            else:
                differs = any(own[place] != colour for place in places)
            if differs:
                elsewhere = f"class {places[0]}" if places else "no class"
                raise DataError(
                    [
                        f"{path}: the colour {colour} is class {index} in its palette, but "
                        f"{elsewhere} in the palette of the data: save all label maps with one "
                        "palette, or as grey indices"
                    ]
                )

    def spread(self, image: Array, path: Path) -> Array:
        """Convert label indices `(H, W, 1)` to one channel per class (one-hot).

        A pixel has the type's maximum in the channel of its class and 0 in all others. Images that
        are not label maps are returned unchanged.

        Raises:
            DataError: If a label is not below `classes`, or there is more than one channel.
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
