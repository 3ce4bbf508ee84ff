"""A trained model, ready to translate: what `i2i.load` gives."""

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
        """What the generator needs height and width to be multiples of; 1 where it doesn't say."""
        own = getattr(self.generator, "size_divisor", None)
        if own is None and isinstance(stride := getattr(self.generator, "stride", None), int):
            deprecate("a generator's 'stride'", "call it 'size_divisor'", removed_in="0.3")
            own = stride
        return int(own or 1)

    @property
    def dtype(self) -> Whole:
        """What outputs are: whole numbers of as many bits as the training's targets."""
        return np.uint8 if self.data.target.depth == 8 else np.uint16

    def settings(self, sample: int = 0) -> TestSettings:
        """How the generator is used, as its recipe says, for one of the possible translations.

        Raises:
            I2IError: If the sample's number is negative.
        """
        if sample < 0:
            raise I2IError(f"there is no sample {sample}: they are counted from 0")
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
                or uint16; or a list of these. Or a tensor `(N, C, H, W)` in [−1, 1].
            sample: Which of the many possible translations, where the recipe keeps dropout on.
            tile: As for `plan_tiles`; for images, not for tensors.
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
        """Which images share a batch, see `batches`; as many as the recipe says."""
        most = self.recipe.test.batch_size
        return batches(sizes, divisor=self.size_divisor, most=most, tile=tile)

    def translate_batch(self, images: Tensor, *, sample: int = 0) -> Tensor:
        """The outputs for a batch of any size, filled up to the size divisor and cut back.

        Args:
            images: `(N, C, H, W)` in [−1, 1].
            sample: Which of the many possible translations.

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
        settings = self.settings(sample)
        images = images.float()
        try:
            outputs = translate(
                self.generator,
                mirrored(images.to(self.device), self.padded(size)),
                settings,
            )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise self._refused(size, error) from error
        return outputs[:, :, : size[0], : size[1]]

    def translate_arrays(
        self,
        arrays: Sequence[Array],
        *,
        sample: int = 0,
        dtypes: Sequence[Whole] | None = None,
    ) -> list[Array]:
        """The outputs for arrays of one padded size, in one batch.

        Args:
            arrays: Each `(H, W, C)` in uint8 or uint16.
            sample: Which of the many possible translations.
            dtypes: What each output is to be; `self.dtype` by default.

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
        """The output for one array of any size, whole or by tiles.

        Args:
            array: `(H, W, C)` in uint8 or uint16.
            sample: Which of the many possible translations.
            dtype: What the output is to be; `self.dtype` by default.
            tile: Height and width of tiles, see `plan_tiles`.
            overlap: Pixels that tiles share, see `plan_tiles`.
            advance: Told of every tile that is done, as a share of the image.

        Raises:
            I2IError: If tiles don't overlap as asked, or the network can't take tiles of that size.
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
            raise self._refused(tiles.tile, error) from error

    def tiles(self, size: Size, tile: int | None = None, overlap: int | None = None) -> Tiles:
        """The tiles of an image, see `plan_tiles`."""
        return plan_tiles(size, tile=tile, overlap=overlap, divisor=self.size_divisor)

    def padded(self, size: Size) -> Size:
        """The size that an image is filled up to: multiples of the size divisor."""
        return next_multiple(size, self.size_divisor)

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
