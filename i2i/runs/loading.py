"""Loading of a trained model from a run, a checkpoint or a model file."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.datasets.info import DatasetInfo
from i2i.errors import CheckpointError
from i2i.model.file import load_state, read_model
from i2i.model.model import Model
from i2i.recipe import Recipe, load_resolved_recipe, resolved_recipe
from i2i.recipe.assemble import assemble_generator
from i2i.run_folder import RunFolder
from i2i.system.devices import choose_device
from i2i.training import checkpoint as checkpoints


def load(path: Path | str, *, device: str = "auto") -> Model:
    """Load a trained model, ready to translate.

    Args:
        path: A run's folder, a checkpoint's folder, or a `model.safetensors` alone: it includes its
            recipe.
        device: `auto`, or a torch device.

    Raises:
        CheckpointError: If there is no model, or it is damaged.
        RecipeError, PluginError: If the generator can't be built, for example because its plugin
            is not installed.
    """
    file, passed_over = _model_file(Path(path))
    tensors, metadata = read_model(file)
    recipe = resolved_recipe(metadata["recipe"], source=f"{file}: its recipe")
    try:
        data = DatasetInfo.from_json(metadata["data"])
    except ValueError as error:
        raise CheckpointError(f"{file}: {error}") from error
    chosen = choose_device(device)
    generator = _generator(recipe, data, tensors, file).to(chosen)
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


def _model_file(path: Path) -> tuple[Path, list[str]]:
    """The model file for a path, and the reasons why newer checkpoints were skipped."""
    if path.is_file():
        return path, []
    if (path / checkpoints.MANIFEST).is_file():
        return checkpoints.verify(path, (checkpoints.MODEL,)).path / checkpoints.MODEL, []
    if (path / checkpoints.MODEL).is_file():
        return path / checkpoints.MODEL, []
    run = RunFolder(path)
    if run.recipe.is_file():
        recipe = load_resolved_recipe(run.recipe)
        checkpoint, passed_over = checkpoints.to_use(run.checkpoints, recipe.eval.weights)
        return checkpoint.path / checkpoints.MODEL, passed_over
    raise CheckpointError(
        f"{path}: there is no model; give a run's folder, a checkpoint's, or a model.safetensors"
    )


def _generator(
    recipe: Recipe, data: DatasetInfo, tensors: dict[str, Tensor], file: Path
) -> nn.Module:
    """Build the generator and load its weights."""
    channels = data.input.channels, data.target.channels
    with _NoInit():
        generator = assemble_generator(recipe, *channels, trained=True)
    if dict(generator.named_buffers()).keys() - generator.state_dict().keys():
        # Some buffers are not in the file and may need their random initialisation: build again.
        generator = assemble_generator(recipe, *channels, trained=True)
    load_state(generator, tensors, file, assign=True)
    return generator


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
