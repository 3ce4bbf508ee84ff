"""What the files of a side decide about how they are read: channels, palette and range."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from i2i.errors import DataError
from i2i.images import Header, header
from i2i.images.content import Palette
from i2i.images.spec import ImageSpec


def with_channels(spec: ImageSpec, files: Sequence[Path], root: Path) -> ImageSpec:
    """The spec; in mode "channels", with the number of channels of the first readable image.

    Raises:
        DataError: If none of the images can be read; the message names `root`.
    """
    if spec.channels:
        return spec
    for found in _headers(spec, files):
        return replace(spec, channels=found.channels)
    raise DataError([f"{root}: none of the images can be read"])


def with_palette(spec: ImageSpec, files: Sequence[Path]) -> ImageSpec:
    """The spec; for label maps, with their first palette, continued by longer ones."""
    colours: Palette = ()
    for found in _headers(spec, files) if spec.mode == "labels" else ():
        colours += (found.palette or ())[len(colours) :]
    return replace(spec, colours=colours or None)


def is_deeper(spec: ImageSpec, files: Sequence[Path]) -> bool:
    """Whether the first readable image has more than 8 bits."""
    return next((found.deep for found in _headers(spec, files)), False)


def _headers(spec: ImageSpec, files: Sequence[Path]) -> Iterator[Header]:
    """The headers of the readable images."""
    for file in files:
        with suppress(DataError):
            yield header(file, spec.mode)
