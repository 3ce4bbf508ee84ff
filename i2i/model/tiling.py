"""Images of any size in tiles: one image's statistics and noise, and no seams between them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from i2i.errors import I2IError
from i2i.images.sizes import next_multiple
from i2i.images.tensors import batch_of_one, mirrored, to_uint
from i2i.images.types import Array, Size
from i2i.model.inference import TestSettings, image_norm, intercepted
from i2i.model.noise import Noise, content_of_rows, keys_of_content

WHOLE_UP_TO = 2048 * 2048
"""Pixels up to which an image is translated whole where nobody says how; larger ones by tiles."""

TILE = 512
OVERLAP = 64

SAMPLED = 16
"""Tiles that an image's statistics are taken from, spread over it."""

ROUNDS = 2
"""How often they are taken: a layer's statistics depend on how the layers before it were normed."""

_ROWS = 128
"""Rows of an image that are hashed at a time."""


@dataclass(frozen=True)
class Tiles:
    """Where tiles lie in an image, evenly spaced, and how they are blended.

    Args:
        image: Height and width of the image.
        tile: Height and width of every tile; where it is larger than the image, that is mirrored.
        overlap: Pixels that neighbours share at least, over which they are faded into each other.
    """

    image: Size
    tile: Size
    overlap: int

    def places(self, side: int) -> list[int]:
        """Tops (side 0) or lefts (side 1) of the tiles."""
        length, tile = self.image[side], self.tile[side]
        if length <= tile:
            return [0]
        count = ceil((length - self.overlap) / (tile - self.overlap))
        return [round(i * (length - tile) / (count - 1)) for i in range(count)]

    def weights(self, side: int) -> list[NDArray[np.float32]]:
        """What each tile's rows (side 0) or columns count for; at every pixel they add up to 1."""
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
        """Top and left of each tile, row by row."""
        return product(self.places(0), self.places(1))

    def __len__(self) -> int:
        return len(self.places(0)) * len(self.places(1))


def plan_tiles(
    size: Size, *, tile: int | None = None, overlap: int | None = None, divisor: int = 1
) -> Tiles:
    """The tiles of an image; a single one where it is translated whole.

    Args:
        size: The image's.
        tile: Height and width of tiles, rounded up to multiples of the divisor; 0 for none. By
            default images of up to `WHOLE_UP_TO` pixels are translated whole, larger ones by tiles
            of `TILE`.
        overlap: Pixels that tiles share and are faded into each other over; by default `OVERLAP`,
            or half of a tile where that is less.
        divisor: What the network needs height and width to be multiples of.

    Raises:
        I2IError: If a number is negative, or the overlap more than half of a tile.
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
    """Whether an image of that size is translated by tiles where nobody says how."""
    return size[0] * size[1] > WHOLE_UP_TO


class SharedNorm:
    """Batch norm with one mean and variance a layer for all tiles of an image.

    A tile's own would make a tile of sky as rich in contrast as one of a wall. Layers are told by
    the order in which the network calls them, so `begin` comes before every run through it.
    """

    def __init__(self) -> None:
        self.known: list[tuple[Tensor, Tensor]] = []
        self.met: list[list[tuple[Tensor, Tensor]]] | None = None
        self.layer = 0

    def begin(self) -> None:
        """A run through the network begins."""
        self.layer = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take what the runs within meet for the statistics from then on."""
        self.met = []
        yield
        self.known = [_merged(tiles) for tiles in self.met]
        self.met = None

    def __call__(
        self, features: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> Tensor:
        """Norm a map `(N, C, H, W)`."""
        layer, self.layer = self.layer, self.layer + 1
        if self.met is not None:
            variance, mean = torch.var_mean(features, dim=(0, 2, 3), correction=0)
            if layer == len(self.met):
                self.met.append([])
            self.met[layer].append((mean, variance))
        if not self.known:
            return image_norm(features, weight, bias, eps)
        mean, variance = self.known[layer]
        return F.batch_norm(features, mean, variance, weight, bias, eps=eps)


def _merged(tiles: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean and variance of several tiles of one size together, of each `(C,)`."""
    means = torch.stack([mean for mean, _ in tiles])
    variances = torch.stack([variance for _, variance in tiles])
    # Not the mean square less the squared mean, whose digits cancel out on flat features.
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


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
    """The generator's output for an image, translated tile by tile.

    Only the image and its output are held whole, and those as whole numbers.

    Args:
        generator: In eval mode, on the device.
        image: `(H, W, C)` uint8 or uint16.
        tiles: Where the tiles are.
        settings: How the generator is used. An image's own statistics are those of up to `SAMPLED`
            of its tiles; tiles share the noise of a place, to the nearest cell of each map.
        channels: Channels of the output.
        dtype: uint8 or uint16, the output's.
        device: Where to compute.
        advance: Told of every tile that is done, as a share of the image.

    Returns:
        `(H, W, channels)` whole numbers.
    """
    norm = SharedNorm() if settings.statistics == "per_image" else None
    noise = Noise(_keys(image, settings).to(device), tiles.tile) if settings.dropout else None

    def run(place: tuple[int, int]) -> Tensor:
        if norm is not None:
            norm.begin()
        here = noise.at(place, tiles.tile) if noise is not None else None
        with torch.inference_mode(), intercepted(norm, here):
            output: Tensor = generator(_tile(image, tiles, place).to(device))
            return output[0].float().cpu()

    if norm is not None:
        every = list(tiles)
        spread = np.linspace(0, len(every) - 1, min(SAMPLED, len(every))).round().astype(int)
        sampled = [every[i] for i in spread]
        for _ in range(ROUNDS):
            with norm.measured():
                for place in sampled:
                    run(place)
    return _blended(tiles, run, channels, dtype, advance)


def _blended(
    tiles: Tiles,
    run: Callable[[tuple[int, int]], Tensor],
    channels: int,
    dtype: torch.dtype,
    advance: Callable[[float], None],
) -> Array:
    (height, width), (rows, columns) = tiles.image, tiles.tile
    output = torch.empty((height, width, channels), dtype=dtype)
    tops, lefts = tiles.places(0), tiles.places(1)
    across = [torch.from_numpy(weights) for weights in tiles.weights(1)]
    # Rows from the top of the current tiles on; those above the next tiles' top are complete.
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
    (top, left), (rows, columns) = place, tiles.tile
    return mirrored(batch_of_one(image[top : top + rows, left : left + columns]), tiles.tile)


def _keys(image: Array, settings: TestSettings) -> Tensor:
    content = torch.zeros(1, image.shape[2], dtype=torch.int64)
    for first in range(0, image.shape[0], _ROWS):
        content += content_of_rows(batch_of_one(image[first : first + _ROWS]), first)
    return keys_of_content(content, settings.seed, settings.sample)
