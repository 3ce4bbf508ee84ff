"""Reads label maps as classes: by the nearest colour of a palette, or one channel per class."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from i2i.errors import DataError

NEAR = 48.0
"""Maximum RGB distance (channels from 0 to 255) between a pixel and its palette colour."""

NEEDED = (
    "give segmenter.palette a colour for each class, such as {road = [128, 64, 128], sky = "
    "[70, 130, 180]}, or read the maps with mode 'labels', which gives each class a channel"
)


@dataclass(frozen=True)
class Labels:
    """The classes of label maps and how the maps show them.

    Args:
        names: Names of the classes, in the order of their indices.
        palette: The RGB colour of each class, 0 to 255; None if maps have one channel per class.
    """

    names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...] | None

    @classmethod
    def of(cls, palette: Mapping[str, tuple[int, int, int]] | None, channels: int) -> "Labels":
        """Create the labels of maps with this number of channels.

        Args:
            palette: Colours by class; without it, each channel of a map is a class.
            channels: Channels of the label maps.

        Raises:
            DataError: If the palette is missing or doesn't fit such maps.
        """
        if palette is None:
            if channels == 1:
                raise DataError([f"gray label maps can't be read: {NEEDED}"])
            return cls(tuple(f"class {i}" for i in range(channels)), None)
        problems = []
        if channels != 3:
            problems.append(
                f"segmenter.palette has colours, but label maps have {channels} channels, not 3"
            )
        if not 2 <= len(palette) <= 256:
            problems.append("segmenter.palette: give 2 to 256 classes")
        if len(set(palette.values())) < len(palette):
            problems.append("segmenter.palette: two classes have the same colour")
        if problems:
            raise DataError(problems)
        return cls(tuple(palette), tuple(palette.values()))

    @property
    def channels(self) -> int:
        """Number of channels of a label map."""
        return len(self.names) if self.palette is None else 3

    def read(self, maps: Tensor) -> Tensor:
        """Read the classes of label maps.

        Args:
            maps: `(N, C, H, W)` uint8 or uint16.

        Returns:
            `(N, H, W)` uint8 classes, on the same device.

        Raises:
            DataError: If maps have another number of channels.
        """
        return self._nearest(maps)[0]

    def checked(self, maps: Tensor) -> Tensor:
        """Read the classes as `read` does, but check that the images are label maps.

        Resizing and JPEG compression blur colours, so up to half of the pixels may be further than
        `NEAR` from every palette colour. In the CMP facades this is 14% of the pixels of label
        maps, and nearly all pixels of photos.

        Raises:
            DataError: If maps have another number of channels, or if these are not label maps.
        """
        classes, near = self._nearest(maps)
        share = near.float().mean().item()
        if share < 0.5:
            hint = f"; {NEEDED}" if self.palette is None else ""
            raise DataError(
                [
                    f"these are no label maps of the classes {', '.join(self.names)}: only "
                    f"{share:.0%} of their pixels are near one of the classes' values{hint}"
                ]
            )
        return classes

    def _nearest(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classes `(N, H, W)`, and whether each pixel is near the value of its class."""
        if maps.shape[1] != self.channels:
            raise DataError(
                [
                    f"label maps have {maps.shape[1]} channels instead of the {self.channels} "
                    f"that the classes {', '.join(self.names)} need"
                ]
            )
        pairs = [self._of_one(each) for each in maps]
        return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])

    def _of_one(self, image: Tensor) -> tuple[Tensor, Tensor]:
        values = image.float() * (255.0 / torch.iinfo(image.dtype).max)
        if self.palette is None:
            highest, classes = values.max(dim=0)
            others = values.sum(dim=0) - highest
            return classes.to(torch.uint8), (highest >= 255 - NEAR) & (others <= NEAR)
        colours = torch.tensor(self.palette, dtype=torch.float32, device=image.device)
        pixels = values.reshape(3, -1)
        # |p − c|² without |p|², which is the same for all colours, needs only one matrix product.
        distances = colours.square().sum(dim=1, keepdim=True) - 2 * (colours @ pixels)
        least, classes = distances.min(dim=0)
        near = least + pixels.square().sum(dim=0) <= NEAR**2
        shape = image.shape[1:]
        return classes.to(torch.uint8).reshape(shape), near.reshape(shape)
