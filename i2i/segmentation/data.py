"""Photos and the classes of their pixels, from a data set's pairs."""

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
    """A split, read for segmentation.

    Classes are read from the maps at their decoded size: colours that were mixed by a further
    resize would be read as classes that aren't there.

    Args:
        decoded: The split's pairs.
        side: Which image of a pair is the label map.
        classes: `(n, H, W)` uint8.
    """

    decoded: Decoded
    side: Side
    classes: Tensor

    @classmethod
    def of(cls, decoded: Decoded, side: Side, labels: Labels, *, at_once: int = 64) -> Self:
        """Read the label maps of a split.

        Args:
            decoded: The split's pairs.
            side: Which image of a pair is the label map.
            labels: What label maps look like.
            at_once: How many are read at a time, to save memory.

        Raises:
            DataError: If they don't look like that.
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
        """Photos `(N, C, H, W)` in [−1, 1]."""
        other: Side = "target" if self.side == "input" else "input"
        return to_float(_channels(self.decoded, indices, other))

    def augmented(
        self, indices: Sequence[int], *, load: Size, crop: Size, flip: bool, seed: int, epoch: int
    ) -> tuple[Tensor, Tensor]:
        """Photos and classes for training: resized, cropped at random, half of them mirrored.

        Args:
            indices: Which ones.
            load: The size to resize to: photos bicubically, classes to the nearest.
            crop: The size to cut out.
            flip: Whether to mirror half of them.
            seed: With `epoch` and the index it decides the crop and the mirroring.
            epoch: Which pass over the data.

        Returns:
            `(N, C, *crop)` in [−1, 1] and `(N, *crop)` int64.
        """
        photos = resize_photos(self.photos(indices), load)
        classes = resize_classes(self.classes[list(indices)], load)
        both = torch.cat([photos, classes[:, None].to(photos.dtype)], dim=1)
        both = augment(both, indices, crop=crop, flip=flip, seed=seed, epoch=epoch)
        return both[:, :-1], both[:, -1].long()


def resize_photos(photos: Tensor, size: Size) -> Tensor:
    """Photos `(N, C, H, W)` in [−1, 1] at another size: bicubic, antialiased, in float."""
    if tuple(photos.shape[-2:]) == size:
        return photos
    return F.interpolate(photos, size, mode="bicubic", antialias=True).clamp(-1.0, 1.0)


def resize_classes(classes: Tensor, size: Size) -> Tensor:
    """Classes `(N, H, W)` uint8 at another size, each the nearest one's."""
    if tuple(classes.shape[-2:]) == size:
        return classes
    return F.interpolate(classes[:, None], size, mode="nearest-exact")[:, 0]


def label_side(dataset: Dataset, said: Side | None) -> Side:
    """Which image of a pair is the label map: as is said, or as the data set knows.

    Raises:
        DataError: If nobody says so.
    """
    side = said or dataset.labels_side
    if side is None:
        raise DataError(
            [
                "segmenter.labels: this data set doesn't know which image of a pair is the label "
                'map; set it to "input" or "target"'
            ]
        )
    return side


def labels_of(
    dataset: Dataset, side: Side, palette: Mapping[str, tuple[int, int, int]] | None
) -> Labels:
    """What the label maps of a data set look like.

    Args:
        dataset: The data.
        side: Which image of a pair is the label map.
        palette: Colours by class instead of the data set's own.

    Raises:
        DataError: If the palette can't be that of such maps, or is missing.
    """
    channels = dataset.input_channels if side == "input" else dataset.target_channels
    return Labels.of(palette or dataset.palette, channels)


def _channels(decoded: Decoded, indices: Sequence[int], side: Side) -> Tensor:
    pairs = torch.from_numpy(decoded.array[list(indices)])
    split = decoded.input_channels
    return pairs[:, :split] if side == "input" else pairs[:, split:]
