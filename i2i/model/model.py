"""A trained model, ready to translate: what `i2i.load` gives."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor, nn

from i2i.datasets.about import About
from i2i.errors import DataError, I2IError
from i2i.images import pixels_of
from i2i.images.sizes import next_multiple, size_text
from i2i.images.tensors import batch_of_one, mirrored, to_whole
from i2i.images.types import Array, Size
from i2i.model.inference import translate
from i2i.model.tiling import Tiles, translate_tiles
from i2i.recipe import Recipe

WHOLE_UP_TO = 2048 * 2048
"""Pixels up to which an image is translated whole where nobody says how; larger ones by tiles."""

TILE = 512
OVERLAP = 64

Whole = type[np.uint8] | type[np.uint16]

Image = Any
"""A path, an array `(H, W, C)` or `(H, W)` in uint8 or uint16, or a Pillow image."""


class Model:
    """A trained generator with all that it takes to use it.

    Calling it translates images: `i2i.load("runs/facades")("label.png")`.

    Args:
        generator: On the device, in eval mode.
        recipe: What it was trained by.
        data: What it was trained on.
        path: The model file.
        step: After how many updates it was saved.
        sha256: Over the weights and what the file says of them.
        device: Where it computes.
        passed_over: Why newer checkpoints of its run weren't used.
    """

    def __init__(
        self,
        generator: nn.Module,
        recipe: Recipe,
        data: About,
        *,
        path: Path,
        step: int,
        sha256: str,
        device: torch.device,
        passed_over: Sequence[str] = (),
    ) -> None:
        self.generator = generator
        self.recipe = recipe
        self.data = data
        self.path = path
        self.step = step
        self.sha256 = sha256
        self.device = device
        self.passed_over = tuple(passed_over)

    @property
    def stride(self) -> int:
        """What the generator needs height and width to be multiples of, as its `stride` says."""
        return int(getattr(self.generator, "stride", 1))

    @property
    def dtype(self) -> Whole:
        """What outputs are: whole numbers of as many bits as the training's targets."""
        return np.uint8 if self.data.target.depth == 8 else np.uint16

    @overload
    def __call__(
        self,
        images: Tensor,
        *,
        draw: int = ...,
        tile: int | None = ...,
        overlap: int | None = ...,
    ) -> Tensor: ...
    @overload
    def __call__(
        self,
        images: Sequence[Image],
        *,
        draw: int = ...,
        tile: int | None = ...,
        overlap: int | None = ...,
    ) -> list[Array]: ...
    @overload
    def __call__(
        self, images: Image, *, draw: int = ..., tile: int | None = ..., overlap: int | None = ...
    ) -> Any: ...
    def __call__(
        self, images: Any, *, draw: int = 0, tile: int | None = None, overlap: int | None = None
    ) -> Any:
        """Translate one image or several, of any size.

        Args:
            images: An image: a path, a Pillow image, or an array `(H, W, C)` or `(H, W)` in uint8
                or uint16; or a list of these. Or a tensor `(N, C, H, W)` in [−1, 1].
            draw: Which of the many possible translations, where the recipe keeps dropout on.
            tile: See `translate_one`; for images, not for tensors.
            overlap: Pixels that tiles share.

        Returns:
            For an image an array `(H, W, C)`, for a list a list of them, in `dtype`; for a tensor
            another one in [−1, 1].

        Raises:
            DataError: If an image can't be read or isn't what the model takes.
            I2IError: If the network can't take an image of that size.
        """
        if isinstance(images, Tensor):
            if tile is not None or overlap is not None:
                raise I2IError("tiles are for images, not for a tensor: see translate_one")
            return self.translate_batch(images, draw=draw)
        if not isinstance(images, list | tuple):
            return self([images], draw=draw, tile=tile, overlap=overlap)[0]
        arrays = [self._input(image) for image in images]
        if tile is not None or any(self.needs_tiles(array.shape[:2]) for array in arrays):
            return [
                self.translate_one(array, draw=draw, tile=tile, overlap=overlap) for array in arrays
            ]
        return [
            output
            for batch in self.batches(arrays)
            for output in self.translate_arrays(batch, draw=draw)
        ]

    def batches(self, arrays: Sequence[Array]) -> Iterator[list[Array]]:
        """Arrays in their order, those of one padded size together."""
        for size, group in groupby(arrays, lambda array: self.padded(array.shape[:2])):
            alike, count = list(group), self.batch_size(size)
            for first in range(0, len(alike), count):
                yield alike[first : first + count]

    def batch_size(self, size: Size) -> int:
        """Images of that size at a time: the recipe's, but not more pixels than a large image's."""
        return max(1, min(self.recipe.test.batch_size, WHOLE_UP_TO // (size[0] * size[1])))

    def translate_batch(self, images: Tensor, *, draw: int = 0) -> Tensor:
        """The outputs for a batch of any size, filled up to the stride and cut back.

        Args:
            images: `(N, C, H, W)` in [−1, 1].
            draw: Which of the many possible translations.

        Returns:
            `(N, C, H, W)` in [−1, 1], on the model's device.

        Raises:
            DataError: If the number of channels is another one.
            I2IError: If the network can't take images of that size.
        """
        if images.ndim != 4 or not images.is_floating_point() or not images.numel():
            raise DataError(
                [
                    f"the images are {images.dtype} {tuple(images.shape)}; give floats "
                    "(N, C, H, W) in [-1, 1]"
                ]
            )
        channels, size = images.shape[1], (images.shape[2], images.shape[3])
        if channels != self.data.input.channels:
            raise DataError(
                [f"the images have {channels} channels, the model takes {self.data.input.channels}"]
            )
        if draw < 0:
            raise I2IError(f"there is no draw {draw}: they are counted from 0")
        images = images.float()
        try:
            outputs = translate(
                self.generator,
                mirrored(images.to(self.device), self.padded(size)),
                statistics=self.recipe.test.statistics,
                dropout=self.recipe.test.dropout,
                seed=self.recipe.seed,
                draw=draw,
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._refused(size, error) from error
        return outputs[:, :, : size[0], : size[1]]

    def translate_arrays(
        self,
        arrays: Sequence[Array],
        *,
        draw: int = 0,
        dtypes: Sequence[Whole] | None = None,
    ) -> list[Array]:
        """The outputs for arrays of one padded size, in one batch.

        Args:
            arrays: Each `(H, W, C)` in uint8 or uint16.
            draw: Which of the many possible translations.
            dtypes: What each output is to be; `self.dtype` by default.

        Returns:
            An array `(H, W, C)` for each.
        """
        sizes = [array.shape[:2] for array in arrays]
        images = [batch_of_one(array) for array in arrays]
        padded = self.padded(sizes[0])
        outputs = self.translate_batch(
            torch.cat([mirrored(image, padded) for image in images]), draw=draw
        )
        return [
            to_whole(output[:, :height, :width], _TORCH[dtype])
            .permute(1, 2, 0)
            .contiguous()
            .cpu()
            .numpy()
            for output, (height, width), dtype in zip(
                outputs, sizes, dtypes or [self.dtype] * len(arrays), strict=True
            )
        ]

    def translate_one(
        self,
        array: Array,
        *,
        draw: int = 0,
        dtype: Whole | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        advance: Callable[[float], None] = lambda _: None,
    ) -> Array:
        """The output for one array of any size, whole or by tiles.

        Args:
            array: `(H, W, C)` in uint8 or uint16.
            draw: Which of the many possible translations.
            dtype: What the output is to be; `self.dtype` by default.
            tile: Height and width of tiles, rounded up to the stride; 0 for none. By default images
                of up to `WHOLE_UP_TO` pixels are translated whole, larger ones by tiles of `TILE`.
            overlap: Pixels that tiles share and are faded into each other over, see `tiles`.
            advance: Told of every tile that is done, as a share of the image.

        Raises:
            I2IError: If tiles don't overlap as asked, or the network can't take tiles of that size.
        """
        size = (array.shape[0], array.shape[1])
        tiles = self.tiles(size, tile, overlap)
        if len(tiles) == 1:
            output = self.translate_arrays(
                [array], draw=draw, dtypes=None if dtype is None else [dtype]
            )[0]
            advance(1 / len(tiles))
            return output
        try:
            return translate_tiles(
                self.generator,
                array,
                tiles,
                channels=self.data.target.channels,
                dtype=_TORCH[dtype or self.dtype],
                device=self.device,
                statistics=self.recipe.test.statistics,
                dropout=self.recipe.test.dropout,
                seed=self.recipe.seed,
                draw=draw,
                advance=advance,
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._refused(tiles.tile, error) from error

    def needs_tiles(self, size: Size) -> bool:
        """Whether an image of that size is translated by tiles where nobody says how."""
        return size[0] * size[1] > WHOLE_UP_TO

    def tiles(self, size: Size, tile: int | None = None, overlap: int | None = None) -> Tiles:
        """The tiles of an image; a single one where it is translated whole.

        Args:
            size: The image's.
            tile: See `translate_one`.
            overlap: Pixels that tiles share; by default `OVERLAP`, or half of a tile where that is
                less.

        Raises:
            I2IError: If a number is negative, or the overlap more than half of a tile.
        """
        padded = self.padded(size)
        if tile is None:
            tile = TILE if self.needs_tiles(size) else 0
        if tile == 0:
            return Tiles(size, padded, 0)
        height, width = next_multiple((tile, tile), self.stride)
        if overlap is None:
            overlap = min(OVERLAP, height // 2)
        if tile < 0 or not 0 <= overlap <= height // 2:
            raise I2IError(
                f"tiles of {height} can't overlap by {overlap}: give 0 to {height // 2} pixels"
            )
        return Tiles(size, (min(height, padded[0]), min(width, padded[1])), overlap)

    def padded(self, size: Size) -> Size:
        """The size that an image is filled up to: multiples of the stride."""
        return next_multiple(size, self.stride)

    def _input(self, image: Image) -> Array:
        side = self.data.input
        if isinstance(image, str | Path):
            array = side.spread(side.read(Path(image)), Path(image))
        else:
            array = pixels_of(image, side.mode, side.background, side.float_range)
            array = side.spread(array, Path("the image"))
        if array.shape[2] != side.channels:
            raise DataError(
                [f"the image has {array.shape[2]} channels, the model takes {side.channels}"]
            )
        return array

    def _refused(self, size: Size, error: Exception) -> I2IError:
        reason = str(error).partition("\n")[0]
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in reason:
            return I2IError(
                f"there isn't memory enough for images of {size_text(self.padded(size))}: "
                "translate by (smaller) tiles, or fewer at a time (test.batch_size)"
            )
        return I2IError(
            f"the generator can't take an image of {size_text(self.padded(size))} ({reason}); it "
            f"was trained at {size_text(self.recipe.augment.crop)}"
        )


_TORCH: dict[Whole, torch.dtype] = {np.uint8: torch.uint8, np.uint16: torch.uint16}
