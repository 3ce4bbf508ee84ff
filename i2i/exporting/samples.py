"""The images that an export is checked on: real ones if available, otherwise synthetic ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from i2i.errors import DataError, I2IError
from i2i.images import resize
from i2i.images.sheets import spread
from i2i.images.tensors import to_float
from i2i.images.types import Array
from i2i.model.model import Model
from i2i.runs.beside import samples_of
from i2i.translation.inputs import find_inputs
from i2i.translation.preparing import Preparation

UP_TO = 8
"""Largest number of images that an export is checked on."""


@dataclass(frozen=True)
class Samples:
    """Images at the training's size.

    Args:
        inputs: `(N, C, H, W)` in [−1, 1].
        targets: The targets of the inputs, in the same format; None if unknown.
        source: What the images are, as text.
        instead: Why the images are synthetic; None if they are real.
    """

    inputs: Tensor
    targets: Tensor | None
    source: str
    instead: str | None = None


def samples(model: Model, given: Sequence[Path | str] = ()) -> Samples:
    """Load up to `UP_TO` images to check an export of a model on.

    Args:
        model: The model.
        given: Files, folders and patterns. By default, samples of the test split in the folder of
            the model's run, or else synthetic images. The data that the recipe names is not opened:
            a run may come from a stranger.

    Raises:
        DataError: If given images can't be read, or don't have the model's number of channels.
    """
    if given:
        return _given(model, given)
    try:
        return _of_the_run(model)
    except I2IError as error:
        return _synthetic(model, error.lines[0])


def _given(model: Model, given: Sequence[Path | str]) -> Samples:
    found, problems = find_inputs(given, None)
    if problems:
        raise DataError(list(problems.values()))
    preparation = Preparation(model, size="train")
    files = [found[i].file for i in spread(len(found), UP_TO)]
    arrays = [preparation.prepare(file).array for file in files]
    channels = model.data.input.channels
    wrong = [
        f"{file}: has {array.shape[2]} channels, the model needs {channels}"
        for file, array in zip(files, arrays, strict=True)
        if array.shape[2] != channels
    ]
    if wrong:
        raise DataError(wrong)
    return Samples(_batch(arrays), None, f"{len(arrays)} of the images given")


def _of_the_run(model: Model) -> Samples:
    pairs = samples_of(model.path, UP_TO)
    if not pairs:
        raise DataError(["no samples lie with the model; --images names images of yours"])
    inputs = [_sized(model.data.input.take(file), model) for file, _ in pairs]
    files = [file for _, file in pairs if file is not None]
    targets = [_sized(model.data.target.take(file), model) for file in files]
    return Samples(
        _batch(inputs),
        _batch(targets) if targets else None,
        f"{len(pairs)} images of the test split",
    )


def _sized(image: Array, model: Model) -> Array:
    return resize(image, model.recipe.augment.crop)


def _synthetic(model: Model, instead: str) -> Samples:
    coarse = torch.rand(
        4, model.data.input.channels, 6, 5, generator=torch.Generator().manual_seed(0)
    )
    smooth = F.interpolate(coarse, model.recipe.augment.crop, mode="bilinear")
    return Samples(smooth * 2 - 1, None, "4 made-up pictures", instead)


def _batch(arrays: Sequence[Array]) -> Tensor:
    return to_float(torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2))
