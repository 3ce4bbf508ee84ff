"""Translation of large images in tiles that share statistics and noise, without visible seams."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.sizes import next_multiple
from i2i.images.tensors import batch_of_one, mirrored, to_uint
from i2i.images.types import Array, Size
from i2i.model.inference import TestSettings, intercepted
from i2i.model.noise import Noise, content_of_rows, keys_of_content
from i2i.model.norms import SharedNorms

WHOLE_UP_TO = 2048 * 2048
"""Largest number of pixels of an image that is translated whole by default, without tiles."""

TILE = 512
OVERLAP = 64

SAMPLED = 16
"""Largest number of tiles that an image's statistics are measured on; they are spread over it."""

ROUNDS = 2
"""How often statistics are measured. Once is not enough, because the statistics of a layer depend
on those that the layers before it used."""

_ROWS = 128
"""Number of rows of an image that are hashed at once."""


@dataclass(frozen=True)
class Tiles:
    """Positions of evenly spaced tiles in an image, and the weights to blend them.

    Args:
        image: Height and width of the image.
        tile: Height and width of every tile; an image smaller than a tile is padded (mirrored).
        overlap: Smallest number of pixels that neighbouring tiles share; they are blended there.
    """

    image: Size
    tile: Size
    overlap: int

    def places(self, side: int) -> list[int]:
        """Top (side 0) or left (side 1) positions of the tiles."""
        length, tile = self.image[side], self.tile[side]
        if length <= tile:
            return [0]
        count = ceil((length - self.overlap) / (tile - self.overlap))
        return [round(i * (length - tile) / (count - 1)) for i in range(count)]

    def weights(self, side: int) -> list[NDArray[np.float32]]:
        """Blending weights of each tile's rows (side 0) or columns (side 1).

        At every pixel, the weights of all tiles add up to 1.
        """
        tile = self.tile[side]
        inward = np.minimum(np.arange(tile), np.arange(tile)[::-1]) + 0.5
        ramp = np.sin(np.clip(inward / max(self.overlap, 1), 0, 1) * np.pi / 2) ** 2
        total = np.zeros(max(self.image[side], tile))
        for place in self.places(side):
            total[place : place + tile] += ramp
        return [
            (ramp / total[place : place + tile]).astype(np.float32) for place in self.places(side)
        ]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Top and left position of each tile, row by row."""
        return product(self.places(0), self.places(1))

    def __len__(self) -> int:
        return len(self.places(0)) * len(self.places(1))


def plan_tiles(
    size: Size, *, tile: int | None = None, overlap: int | None = None, divisor: int = 1
) -> Tiles:
    """Choose the tiles of an image; a single one if it is translated whole.

    Args:
        size: Height and width of the image.
        tile: Height and width of tiles, rounded up to multiples of the divisor; 0 for no tiles. By
            default, images of up to `WHOLE_UP_TO` pixels are translated whole, larger ones in tiles
            of `TILE`.
        overlap: Pixels that neighbouring tiles share and are blended over; by default `OVERLAP`, or
            half a tile if that is less.
        divisor: The size divisor: the network needs height and width to be multiples of it.

    Raises:
        I2IError: If a number is negative, or the overlap is more than half a tile.
    """
    padded = next_multiple(size, divisor)
    if tile is None:
        tile = TILE if needs_tiles(size) else 0
    if tile == 0:
        return Tiles(size, padded, 0)
    height, width = next_multiple((tile, tile), divisor)
    if overlap is None:
        overlap = min(OVERLAP, height // 2)
    if tile < 0 or not 0 <= overlap <= height // 2:
        raise I2IError(
            f"tiles of {height} can't overlap by {overlap}: give 0 to {height // 2} pixels"
        )
    return Tiles(size, (min(height, padded[0]), min(width, padded[1])), overlap)


def needs_tiles(size: Size) -> bool:
    """Whether an image of that size is translated in tiles by default."""
    return size[0] * size[1] > WHOLE_UP_TO


def translate_tiles(
    generator: nn.Module,
    image: Array,
    tiles: Tiles,
    settings: TestSettings,
    *,
    channels: int,
    dtype: torch.dtype,
    device: torch.device,
    advance: Callable[[float], None] = lambda _: None,
) -> Array:
    """Translate an image tile by tile.

    To save memory, only the image and its output are stored whole, as integers. The statistics of
    norms are measured on up to `SAMPLED` tiles. Where tiles overlap, they have the same noise, to
    the nearest cell of each feature map.

    Args:
        generator: The generator, in eval mode and on the device.
        image: `(H, W, C)` in uint8 or uint16.
        tiles: The tiles of the image.
        settings: The test-time settings.
        channels: Channels of the output.
        dtype: Type of the output, torch.uint8 or torch.uint16.
        device: The device of the generator.
        advance: Called after every tile, with the tile's fraction of the image.

    Returns:
        The output `(H, W, channels)` in the given type.

    Raises:
        I2IError: If the generator draws noise that can't belong to one image.
    """
    norms = SharedNorms(settings.statistics)
    noise = Noise(cache(lambda: _keys(image, settings).to(device)), tiles.tile)

    def run(place: tuple[int, int]) -> Tensor:
        norms.begin()
        here = intercepted(
            norms.replacements, noise.at(place, tiles.tile), dropout=settings.dropout
        )
        with torch.inference_mode(), here:
            output: Tensor = generator(_tile(image, tiles, place).to(device))
            return output[0].float().cpu()

    _measure(norms, run, tiles)
    return _blended(tiles, run, channels, dtype, advance)


def _measure(norms: SharedNorms, run: Callable[[tuple[int, int]], Tensor], tiles: Tiles) -> None:
    """Measure the statistics of all norms on some tiles, if the network has such norms."""
    places = list(tiles)
    spread = np.linspace(0, len(places) - 1, min(SAMPLED, len(places))).round().astype(int)
    for _ in range(ROUNDS):
        with norms.measured():
            for i in spread:
                run(places[i])
                if not norms.met:
                    return


def _blended(
    tiles: Tiles,
    run: Callable[[tuple[int, int]], Tensor],
    channels: int,
    dtype: torch.dtype,
    advance: Callable[[float], None],
) -> Array:
    """Run all tiles and blend their outputs, one row of tiles at a time."""
    (height, width), (rows, columns) = tiles.image, tiles.tile
    output = torch.empty((height, width, channels), dtype=dtype)
    tops, lefts = tiles.places(0), tiles.places(1)
    across = [torch.from_numpy(weights) for weights in tiles.weights(1)]
    # The output rows of the current row of tiles. Those above the next row of tiles are complete.
    band = torch.zeros(channels, rows, max(width, columns))
    for i, (top, weights) in enumerate(zip(tops, tiles.weights(0), strict=True)):
        if i:
            done = top - tops[i - 1]
            band = torch.cat([band[:, done:], torch.zeros(channels, done, band.shape[2])], dim=1)
        down = torch.from_numpy(weights)[:, None]
        for left, weight in zip(lefts, across, strict=True):
            band[:, :, left : left + columns] += run((top, left)) * (down * weight)
            advance(1 / len(tiles))
        end = tops[i + 1] if i + 1 < len(tops) else height
        output[top:end] = to_uint(band[:, : end - top, :width], dtype).permute(1, 2, 0)
    return output.numpy()


def _tile(image: Array, tiles: Tiles, place: tuple[int, int]) -> Tensor:
    """The tile at a position as a batch of one, padded (mirrored) if the image is smaller."""
    (top, left), (rows, columns) = place, tiles.tile
    return mirrored(batch_of_one(image[top : top + rows, left : left + columns]), tiles.tile)


def _keys(image: Array, settings: TestSettings) -> Tensor:
    """The image's noise key, as `noise_keys` returns, hashed in parts to save memory."""
    content = torch.zeros(1, image.shape[2], dtype=torch.int64)
    for first in range(0, image.shape[0], _ROWS):
        content += content_of_rows(batch_of_one(image[first : first + _ROWS]), first)
    return keys_of_content(content, settings.seed, settings.sample)
