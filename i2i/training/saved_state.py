"""The content of `training.pt`, checked before anything of it is used."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from i2i.errors import CheckpointError
from i2i.methods.method import Method

_Count = Annotated[int, Ge(0)]
_MOMENTS = ("exp_avg", "exp_avg_sq")
_SHOWN = 20


class _Strict(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, strict=True)


class SavedOptimizer(_Strict):
    """Adam's state: by the index of the parameter, its `step`, `exp_avg` and `exp_avg_sq`."""

    state: dict[int, dict[str, Tensor]]


class SavedState(_Strict):
    """What `Trainer.state` returns."""

    step: _Count
    best: tuple[_Count, float] | None
    networks: dict[str, dict[str, Tensor]]
    optimizers: dict[str, SavedOptimizer]
    scaler: dict[str, float]
    averaged: _Count
    method: dict[str, Tensor] = {}


def saved_state(content: Mapping[str, Any], path: Path) -> SavedState:
    """Check the content of a `training.pt`.

    Raises:
        CheckpointError: If keys are missing or have values of another type; it lists them.
    """
    best = content.get("best")
    try:
        return SavedState.model_validate({**content, "best": tuple(best) if best else None})
    except (ValidationError, TypeError) as error:
        found = error.errors() if isinstance(error, ValidationError) else []
        keys = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found[:_SHOWN])
        raise CheckpointError(f"{path}: isn't what a training saves: {keys or error}") from error


def load_method_state(method: Method, state: Mapping[str, Tensor], path: Path) -> None:
    """Load the state of a method.

    Raises:
        CheckpointError: If it doesn't fit.
    """
    try:
        method.load_state_dict(state)
    except (ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path}: the method's state doesn't fit: {error}") from error


def load_moments(
    optimizers: Mapping[str, torch.optim.Adam], saved: Mapping[str, SavedOptimizer], path: Path
) -> None:
    """Load the state of all optimizers, in the memory format of their parameters.

    Torch's fused Adam reads and writes the moments in the memory order of the parameters, without
    looking at their shapes: with others it would write out of bounds, or compute wrong updates.

    Raises:
        CheckpointError: If states don't fit the parameters; nothing is loaded then.
    """
    found = [f"{name!r} is missing" for name in optimizers.keys() - saved.keys()]
    found += [f"{name!r} isn't trained" for name in saved.keys() - optimizers.keys()]
    for name in optimizers.keys() & saved.keys():
        found += _differences(name, _parameters(optimizers[name]), saved[name].state)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CheckpointError(
            f"{path}: its optimizers don't fit these networks: "
            f"{'; '.join(sorted(found)[:_SHOWN])}{more}"
        )
    for name, optimizer in optimizers.items():
        parameters = _parameters(optimizer)
        for index, values in saved[name].state.items():
            parameter = parameters[index]
            moments = {key: torch.empty_like(parameter).copy_(values[key]) for key in _MOMENTS}
            optimizer.state[parameter] = {"step": values["step"].to(parameter.device), **moments}


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _differences(
    name: str, parameters: list[nn.Parameter], state: Mapping[int, Mapping[str, Tensor]]
) -> Iterator[str]:
    for index, values in state.items():
        if not 0 <= index < len(parameters):
            yield f"{name}.{index} is of no parameter; there are {len(parameters)}"
            continue
        if values.keys() != {"step", *_MOMENTS}:
            yield f"{name}.{index} has {', '.join(sorted(values)) or 'nothing'}"
            continue
        parameter = parameters[index]
        for key, expected in (("step", torch.tensor(0.0)), *((m, parameter) for m in _MOMENTS)):
            value = values[key]
            if value.shape != expected.shape or value.dtype != expected.dtype:
                yield (
                    f"{name}.{index}.{key} is {list(value.shape)} in {value.dtype} instead of "
                    f"{list(expected.shape)} in {expected.dtype}"
                )
