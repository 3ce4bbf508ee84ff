"""What a model needs to know of the data it was trained on, when the data is elsewhere."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from i2i.datasets.dataset import Dataset
from i2i.images.spec import ImageSpec


@dataclass(frozen=True)
class DatasetInfo:
    """A data set in words and numbers, without its images.

    Args:
        input: How inputs are read.
        target: How targets are read, so what outputs are.
        input_half: Which half of the data's own files is the input, where they are pairs side by
            side.
        palette: The colours of its label maps by class, where it has any.
        labels_side: Which image of a pair is the label map, where one is known to be.
        credit: Who made it and under which licence.
        notice: What a reader of results must know.
    """

    input: ImageSpec
    target: ImageSpec
    input_half: Literal["left", "right"] | None = None
    palette: Mapping[str, tuple[int, int, int]] | None = None
    labels_side: Literal["input", "target"] | None = None
    credit: str = ""
    notice: str = ""

    @property
    def class_colours(self) -> dict[str, tuple[int, int, int]]:
        """Colours of the classes of input label maps: the palette's, or hues far apart."""
        classes = self.input.classes or 0
        if self.palette and len(self.palette) == classes:
            return dict(self.palette)
        colours = {}
        for i in range(classes):
            red, green, blue = colorsys.hsv_to_rgb(i / classes, 0.75, 0.9 - 0.35 * (i % 2))
            colours[f"class {i}"] = (round(255 * red), round(255 * green), round(255 * blue))
        return colours

    def to_json(self) -> str:
        """As a text that `from_json` reads."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "DatasetInfo":
        """Read what `to_json` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise ValueError(f"what it says of its data can't be read: {error}") from error


_ADAPTER = TypeAdapter(DatasetInfo)


def dataset_info(dataset: Dataset) -> DatasetInfo:
    """What is to be known of a data set."""
    channels = dataset.input_channels, dataset.target_channels
    inputs, targets = dataset.specs or (_plain(n, dataset.dtype) for n in channels)
    return DatasetInfo(
        inputs,
        targets,
        dataset.input_half,
        dataset.palette,
        dataset.labels_side,
        dataset.credit,
        dataset.notice,
    )


def _plain(channels: int, dtype: type[np.uint8] | type[np.uint16]) -> ImageSpec:
    """The side that so many channels of that type most likely are."""
    depth: Literal[8, 16] = 8 if dtype == np.uint8 else 16
    match channels:
        case 1:
            return ImageSpec(1, "gray", depth)
        case 3:
            return ImageSpec(3, "rgb", depth)
    return ImageSpec(channels, "channels", depth)
