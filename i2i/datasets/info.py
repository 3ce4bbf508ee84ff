"""The facts about its training data that a model stores, so that it works without the data."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from i2i.datasets.dataset import Dataset, Direction
from i2i.images.spec import ImageSpec


@dataclass(frozen=True)
class DatasetInfo:
    """The description of a data set, without its images.

    Args:
        input: How inputs are read.
        target: How targets are read; outputs have the same format.
        input_half: Which half of a side-by-side file is the input; None for other layouts.
        palette: The colours of the label maps by class; None without label maps.
        labels_side: Which image of a pair is the label map; None if neither or unknown.
        credit: The author and licence of the data.
        notice: A warning for readers of the results; usually empty.
        backward: Whether inputs and targets have changed places, for a model of the way back.
    """

    input: ImageSpec
    target: ImageSpec
    input_half: Literal["left", "right"] | None = None
    palette: Mapping[str, tuple[int, int, int]] | None = None
    labels_side: Literal["input", "target"] | None = None
    credit: str = ""
    notice: str = ""
    backward: bool = False

    def towards(self, direction: Direction) -> Self:
        """The same data as a model of this direction sees them."""
        if direction == "forward":
            return self
        return replace(
            self,
            input=self.target,
            target=self.input,
            input_half=_OTHER.get(self.input_half),
            labels_side=_OTHER.get(self.labels_side),
            backward=not self.backward,
        )

    @property
    def class_colours(self) -> dict[str, tuple[int, int, int]]:
        """The colours of the input classes: the palette if it fits, else evenly spaced hues."""
        classes = self.input.classes or 0
        if self.palette and len(self.palette) == classes:
            return dict(self.palette)
        colours = {}
        for i in range(classes):
            red, green, blue = colorsys.hsv_to_rgb(i / classes, 0.75, 0.9 - 0.35 * (i % 2))
            colours[f"class {i}"] = (round(255 * red), round(255 * green), round(255 * blue))
        return colours

    def to_json(self) -> str:
        """Serialise to a text that `from_json` reads."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> "DatasetInfo":
        """Parse a text from `to_json`.

        Raises:
            ValueError: If the text is invalid.
        """
        try:
            info = _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ValueError(
                f"the description of its data is invalid: {key}: {first['msg']}"
            ) from error
        for name, spec in (("input", info.input), ("target", info.target)):
            if spec.channels < 1 or spec.classes not in (None, spec.channels):
                raise ValueError(
                    f"the description of its data is invalid: {name} has {spec.channels} channels "
                    f"for {spec.classes} classes"
                )
        return info


_OTHER: dict[Any, Any] = {
    "left": "right",
    "right": "left",
    "input": "target",
    "target": "input",
}

_ADAPTER = TypeAdapter(DatasetInfo)


def dataset_info(dataset: Dataset) -> DatasetInfo:
    """The description of a data set."""
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
    """The most likely spec for this number of channels and this type."""
    depth: Literal[8, 16] = 8 if dtype == np.uint8 else 16
    match channels:
        case 1:
            return ImageSpec(1, "gray", depth)
        case 3:
            return ImageSpec(3, "rgb", depth)
    return ImageSpec(channels, "channels", depth)
