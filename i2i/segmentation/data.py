"""Photos and pixel classes for segmentation, read from the pairs of a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from i2i.datasets.augment import augment
from i2i.datasets.dataset import Dataset
from i2i.datasets.decoded import Decoded
from i2i.errors import DataError
from i2i.images.tensors import to_float
from i2i.images.types import Size
from i2i.segmentation.palette import Labels

Side = Literal["input", "target"]


@dataclass(frozen=True)
class LabelledPhotos:
    """The photos of a split with the class of each pixel.

    Classes are read from label maps at their decoded size. Resizing the maps first would mix
    colours, and mixed colours would be read as wrong classes.

    Args:
        decoded: The pairs of the split.
        side: Which image of a pair is the label map.
        classes: The class of each pixel, `(n, H, W)` uint8.
    """

    decoded: Decoded
    side: Side
    classes: Tensor

    @classmethod
    def of(cls, decoded: Decoded, side: Side, labels: Labels, *, at_once: int = 64) -> Self:
        """Read the label maps of a split.

        Args:
            decoded: The pairs of the split.
            side: Which image of a pair is the label map.
            labels: The classes and their colours.
            at_once: Number of label maps read at a time, to save memory.

        Raises:
            DataError: If the images are not label maps of these classes.
        """
        maps = range(len(decoded.names))
        parts = [
            labels.checked(_channels(decoded, maps[first : first + at_once], side))
            for first in maps[::at_once]
        ]
        classes = torch.cat(parts) if parts else torch.empty(0, *decoded.array.shape[2:])
        return cls(decoded, side, classes)

    def __len__(self) -> int:
        return len(self.decoded.names)

    def photos(self, indices: Sequence[int]) -> Tensor:
        """Return photos `(N, C, H, W)` in [−1, 1]."""
        other: Side = "target" if self.side == "input" else "input"
        return to_float(_channels(self.decoded, indices, other))

    def augmented(
        self, indices: Sequence[int], *, load: Size, crop: Size, flip: bool, seed: int, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Return photos and classes for training: resized, randomly cropped and mirrored.

        Args:
            indices: Indices of the photos.
            load: The size to resize to: photos bicubically, classes by nearest neighbour.
            crop: The size of the random crop.
            flip: Whether to mirror each photo with probability one half.
            seed: Determines crop and mirroring, together with `epoch` and the index.
            epoch: Number of the epoch.

        Returns:
            `(N, C, *crop)` in [−1, 1] and `(N, *crop)` int64.
        """
        photos = resize_photos(self.photos(indices), load)
        classes = resize_classes(self.classes[list(indices)], load)
        both = torch.cat([photos, classes[:, None].to(photos.dtype)], dim=1)
        both = augment(both, indices, crop=crop, flip=flip, seed=seed, epoch=epoch)
        return both[:, :-1], both[:, -1].long()


def resize_photos(photos: Tensor, size: Size) -> Tensor:
    """Resize photos `(N, C, H, W)` in [−1, 1]: bicubic, antialiased, in float."""
    if tuple(photos.shape[-2:]) == size:
        return photos
    return F.interpolate(photos, size, mode="bicubic", antialias=True).clamp(-1.0, 1.0)


def resize_classes(classes: Tensor, size: Size) -> Tensor:
    """Resize classes `(N, H, W)` uint8 by nearest neighbour."""
    if tuple(classes.shape[-2:]) == size:
        return classes
    return F.interpolate(classes[:, None], size, mode="nearest-exact")[:, 0]


def label_side(dataset: Dataset, said: Side | None) -> Side:
    """Return which image of a pair is the label map: `said`, or the data set's default.

    Raises:
        DataError: If `said` is None and the data set has no default.
    """
    side = said or dataset.labels_side
    if side is None:
        raise DataError(
            [
                "segmenter.labels: this data set doesn't define which image of a pair is the "
                'label map; set it to "input" or "target"'
            ]
        )
    return side


def labels_of(
    dataset: Dataset, side: Side, palette: Mapping[str, tuple[int, int, int]] | None
) -> Labels:
    """Return the classes and colours of the label maps of a data set.

    Args:
        dataset: The data set.
        side: Which image of a pair is the label map.
        palette: Colours by class; by default the data set's own palette.

    Raises:
        DataError: If the palette is missing or doesn't fit the label maps.
    """
    channels = dataset.input_channels if side == "input" else dataset.target_channels
    return Labels.of(palette or dataset.palette, channels)


def _channels(decoded: Decoded, indices: Sequence[int], side: Side) -> Tensor:
    inputs, targets = decoded.sides(indices)
    return inputs if side == "input" else targets
