"""Loading of a trained model from a run, a checkpoint or a model file."""

from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.datasets.info import DatasetInfo
from i2i.errors import CheckpointError
from i2i.images.sizes import size_text
from i2i.model.file import load_state, read_model
from i2i.model.model import Model
from i2i.recipe import Recipe, load_resolved_recipe, resolved_recipe
from i2i.recipe.assemble import assemble_generator
from i2i.recipe.networks import TooLarge
from i2i.run_folder import RunFolder
from i2i.system.devices import choose_device
from i2i.system.tensor_file import check_fits
from i2i.training import checkpoint as checkpoints

LARGEST_CROP = 2**26
"""Pixels of the largest image that a model can have been trained on: 8192x8192."""


def load(path: Path | str, *, model: str = "generator", device: str = "auto") -> Model:
    """Load a trained model, ready to translate.

    Args:
        path: A run's folder, a checkpoint's folder, or a `model.safetensors` alone: it includes its
            recipe.
        model: The name of the model in the run or checkpoint, if it has several: `generator` is the
            one from inputs to targets.
        device: `auto`, or a torch device.

    Raises:
        CheckpointError: If there is no model, or it is damaged.
        RecipeError, PluginError: If the generator can't be built, for example because its plugin
            is not installed.
    """
    file, passed_over = _model_file(Path(path), model)
    tensors, metadata = read_model(file)
    recipe = resolved_recipe(metadata["recipe"], source=f"{file}: its recipe")
    try:
        data = DatasetInfo.from_json(metadata["data"])
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}") from error
    chosen = choose_device(device)
    channels = data.input.channels, data.target.channels
    generator = trained_generator(recipe, channels, tensors, file).to(chosen)
    return Model(
        generator.eval(),
        recipe,
        data,
        path=file,
        step=int(metadata["step"]),
        sha256=metadata["sha256"],
        device=chosen,
        passed_over=passed_over,
    )


def _model_file(path: Path, model: str) -> tuple[Path, list[str]]:
    """The model file for a path, and the reasons why newer checkpoints were skipped."""
    if path.is_file():
        if model not in ("generator", checkpoints.model_name(path)):
            raise CheckpointError(
                f"{path}: is a file of one model; give the run or the checkpoint to name a model"
            )
        return path, []
    name = checkpoints.model_file(model)
    if (path / checkpoints.MANIFEST).is_file():
        _check_name(path, model)
        return checkpoints.verify(path, (name,)).path / name, []
    if (path / checkpoints.MODEL).is_file():
        _check_name(path, model)
        return path / name, []
    run = RunFolder(path)
    if run.recipe.is_file():
        recipe = load_resolved_recipe(run.recipe)
        for checkpoint in checkpoints.saved(run.checkpoints)[:1]:
            _check_name(checkpoint, model)
        found, passed_over = checkpoints.to_use(run.checkpoints, recipe.eval.weights, name)
        return found.path / name, passed_over
    raise CheckpointError(
        f"{path}: there is no model; give a run's folder, a checkpoint's, or a model.safetensors"
    )


def _check_name(folder: Path, model: str) -> None:
    known = checkpoints.models_in(folder)
    if model not in known:
        raise CheckpointError(f"{folder}: has no model '{model}', only {', '.join(known)}")


def trained_generator(
    recipe: Recipe, channels: tuple[int, int], tensors: dict[str, Tensor], file: Path
) -> nn.Module:
    """Build the generator of a recipe and load its weights.

    The weights are compared with the network on torch's meta device first: a recipe may ask for a
    network of any size, and nothing is allocated for more than the file has.

    Args:
        recipe: The recipe.
        channels: Channels of inputs and targets.
        tensors: The weights by name.
        file: The file that they come from, for messages.

    Raises:
        CheckpointError: If the weights don't fit the network.
        RecipeError, PluginError: If the generator can't be built.
    """
    sketch = _on_meta(recipe, channels, file)
    if sketch is not None:
        check_fits(file, tensors, sketch.state_dict())
    with _NoInit():
        generator = assemble_generator(recipe, *channels, trained=True)
    if dict(generator.named_buffers()).keys() - generator.state_dict().keys():
        # Some buffers are not in the file and may need their random initialisation: build again.
        generator = assemble_generator(recipe, *channels, trained=True)
    load_state(generator, tensors, file, assign=True)
    return generator


def _on_meta(recipe: Recipe, channels: tuple[int, int], file: Path) -> nn.Module | None:
    """The generator on the meta device; None if it can't be built without values."""
    size = recipe.augment.crop
    if prod(size) > LARGEST_CROP:
        raise CheckpointError(f"{file}: was trained on {size_text(size)}, too large to be true")
    try:
        with torch.device("meta"), _NoInit():
            return assemble_generator(recipe, *channels, trained=True)
    except (TooLarge, RuntimeError, TypeError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        if "meta" in reason:
            return None
        raise CheckpointError(f"{file}: its generator can't be built: {reason}") from error


class _NoInit(TorchFunctionMode):
    """A context that skips random weight initialisation, which is slower than loading weights."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        draws = func in (Tensor.normal_, Tensor.uniform_)
        if draws or getattr(func, "__module__", None) == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
