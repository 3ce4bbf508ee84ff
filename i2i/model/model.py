"""`Model`, a trained model that translates images; `i2i.load` returns one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor, nn

from i2i.datasets.info import DatasetInfo
from i2i.errors import DataError, I2IError
from i2i.images.sizes import next_multiple, size_text
from i2i.images.tensors import batch_of_one, mirrored, to_uint
from i2i.images.types import Array, Size
from i2i.model.batching import batches
from i2i.model.inference import TestSettings, translate
from i2i.model.tiling import Tiles, plan_tiles, translate_tiles
from i2i.recipe import Recipe
from i2i.system.deprecation import deprecate

Whole = type[np.uint8] | type[np.uint16]

Image = Any
"""A path, an array `(H, W, C)` or `(H, W)` in uint8 or uint16, or a Pillow image."""


class Model:
    """A trained generator with everything that is needed to translate images.

    Call it to translate: `i2i.load("runs/facades")("label.png")`.

    Args:
        generator: The generator, on the device and in eval mode.
        recipe: The recipe of its training.
        data: Description of the data set that it was trained on: image modes, depth, credit.
        path: The model file.
        step: Number of training steps.
        sha256: SHA-256 of the weights and the file's metadata.
        device: The device to compute on.
        passed_over: Reasons why newer, damaged checkpoints of the run were skipped.
    """

    def __init__(
        self,
        generator: nn.Module,
        recipe: Recipe,
        data: DatasetInfo,
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
    def size_divisor(self) -> int:
        """The number that height and width must be multiples of; 1 if the generator has none."""
        own = getattr(self.generator, "size_divisor", None)
        if own is None and isinstance(stride := getattr(self.generator, "stride", None), int):
            deprecate("a generator's 'stride'", "call it 'size_divisor'", removed_in="0.3")
            own = stride
        return int(own or 1)

    @property
    def dtype(self) -> Whole:
        """Type of the outputs: uint8 or uint16, like the targets of the training."""
        return np.uint8 if self.data.target.depth == 8 else np.uint16

    def settings(self, sample: int = 0) -> TestSettings:
        """The test-time settings of the recipe, for one sample (one of the possible translations).

        Raises:
            I2IError: If the number of the sample is negative.
        """
        if sample < 0:
            raise I2IError(f"there is no sample {sample}: samples are counted from 0")
        return TestSettings.of(self.recipe, sample)

    @overload
    def __call__(
        self,
        images: Tensor,
        *,
        sample: int = ...,
        tile: int | None = ...,
        overlap: int | None = ...,
    ) -> Tensor: ...
    @overload
    def __call__(
        self,
        images: Sequence[Image],
        *,
        sample: int = ...,
        tile: int | None = ...,
        overlap: int | None = ...,
    ) -> list[Array]: ...
    @overload
    def __call__(
        self, images: Image, *, sample: int = ..., tile: int | None = ..., overlap: int | None = ...
    ) -> Any: ...
    def __call__(
        self, images: Any, *, sample: int = 0, tile: int | None = None, overlap: int | None = None
    ) -> Any:
        """Translate one image or several, of any size.

        Args:
            images: An image: a path, a Pillow image, or an array `(H, W, C)` or `(H, W)` in uint8
                or uint16. Or a list of images, or a tensor `(N, C, H, W)` in [−1, 1].
            sample: Number of the sample, from 0. Each has other noise, if the generator draws any.
            tile: Height and width of tiles, see `plan_tiles`; for images, not for tensors.
            overlap: Pixels that tiles share, see `plan_tiles`.

        Returns:
            For an image, an array `(H, W, C)` in `dtype`; for a list, a list of arrays; for a
            tensor, a tensor in [−1, 1].

        Raises:
            DataError: If an image can't be read, or does not have the channels or the bit depth
                that the model needs.
            I2IError: If the generator can't process an image of that size.
        """
        if isinstance(images, Tensor):
            if tile is not None or overlap is not None:
                raise I2IError(
                    "tile and overlap are for images, not for a tensor: see translate_one"
                )
            return self.translate_batch(images, sample=sample)
        if not isinstance(images, list | tuple):
            return self([images], sample=sample, tile=tile, overlap=overlap)[0]
        arrays = [self.data.input.take(image) for image in images]
        outputs: dict[int, Array] = {}
        for batch in self.batches([array.shape[:2] for array in arrays], tile):
            if len(batch) == 1:
                outputs[batch[0]] = self.translate_one(
                    arrays[batch[0]], sample=sample, tile=tile, overlap=overlap
                )
            else:
                done = self.translate_arrays([arrays[i] for i in batch], sample=sample)
                outputs |= dict(zip(batch, done, strict=True))
        return [outputs[i] for i in range(len(arrays))]

    def batches(self, sizes: Sequence[Size], tile: int | None = None) -> list[list[int]]:
        """Group images into batches of at most `test.batch_size`, see `batching.batches`."""
        most = self.recipe.test.batch_size
        return batches(sizes, divisor=self.size_divisor, most=most, tile=tile)

    def translate_batch(self, images: Tensor, *, sample: int = 0) -> Tensor:
        """Translate a batch of any size.

        The images are padded (mirrored) to multiples of the size divisor, the outputs cropped back.

        Args:
            images: `(N, C, H, W)` in [−1, 1].
            sample: Number of the sample, from 0.

        Returns:
            `(N, C, H, W)` in [−1, 1], on the model's device.

        Raises:
            DataError: If the tensor is not a float batch with the channels of the model.
            I2IError: If the generator can't process images of that size.
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
        settings = self.settings(sample)
        images = images.float()
        try:
            outputs = translate(
                self.generator,
                mirrored(images.to(self.device), self.padded(size)),
                settings,
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._size_error(size, error) from error
        return outputs[:, :, : size[0], : size[1]]

    def translate_arrays(
        self,
        arrays: Sequence[Array],
        *,
        sample: int = 0,
        dtypes: Sequence[Whole] | None = None,
    ) -> list[Array]:
        """Translate arrays of the same padded size, in one batch.

        Args:
            arrays: Arrays `(H, W, C)` in uint8 or uint16.
            sample: Number of the sample, from 0.
            dtypes: Type of each output; `self.dtype` by default.

        Returns:
            An array `(H, W, C)` for each.
        """
        sizes = [array.shape[:2] for array in arrays]
        images = [batch_of_one(array) for array in arrays]
        padded = self.padded(sizes[0])
        outputs = self.translate_batch(
            torch.cat([mirrored(image, padded) for image in images]), sample=sample
        )
        return [
            to_uint(output[:, :height, :width], _TORCH[dtype])
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
        sample: int = 0,
        dtype: Whole | None = None,
        tile: int | None = None,
        overlap: int | None = None,
        advance: Callable[[float], None] = lambda _: None,
    ) -> Array:
        """Translate one array of any size, whole or in tiles.

        Args:
            array: `(H, W, C)` in uint8 or uint16.
            sample: Number of the sample, from 0.
            dtype: Type of the output; `self.dtype` by default.
            tile: Height and width of tiles, see `plan_tiles`.
            overlap: Pixels that tiles share, see `plan_tiles`.
            advance: Called after every tile, with the tile's fraction of the image.

        Raises:
            I2IError: If `tile` or `overlap` is invalid, or the generator can't process tiles of
                that size.
        """
        size = (array.shape[0], array.shape[1])
        settings, tiles = self.settings(sample), self.tiles(size, tile, overlap)
        if len(tiles) == 1:
            output = self.translate_arrays(
                [array], sample=sample, dtypes=None if dtype is None else [dtype]
            )[0]
            advance(1 / len(tiles))
            return output
        try:
            return translate_tiles(
                self.generator,
                array,
                tiles,
                settings,
                channels=self.data.target.channels,
                dtype=_TORCH[dtype or self.dtype],
                device=self.device,
                advance=advance,
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._size_error(tiles.tile, error) from error

    def tiles(self, size: Size, tile: int | None = None, overlap: int | None = None) -> Tiles:
        """The tiles of an image, see `plan_tiles`."""
        return plan_tiles(size, tile=tile, overlap=overlap, divisor=self.size_divisor)

    def padded(self, size: Size) -> Size:
        """The size that an image is padded to: multiples of the size divisor."""
        return next_multiple(size, self.size_divisor)

    def _size_error(self, size: Size, error: Exception) -> I2IError:
        """The error to raise if the generator fails on images of a size."""
        reason = str(error).partition("\n")[0]
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in reason:
            return I2IError(
                f"there isn't enough memory for images of {size_text(self.padded(size))}: "
                "translate them in (smaller) tiles (--tile)"
            )
        return I2IError(
            f"the generator can't take an image of {size_text(self.padded(size))} ({reason}); it "
            f"was trained at {size_text(self.recipe.augment.crop)}"
        )


_TORCH: dict[Whole, torch.dtype] = {np.uint8: torch.uint8, np.uint16: torch.uint16}
