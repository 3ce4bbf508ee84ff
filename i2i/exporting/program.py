"""Tracing: a model's generator, with test-time statistics and noise, as one torch.export graph."""

import copy
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config as shapes

from i2i.errors import I2IError
from i2i.exporting.checking import TOLERANCE, Run
from i2i.images.sizes import next_multiple, size_text
from i2i.images.types import Size
from i2i.model.inference import TestSettings, TestTime
from i2i.model.model import Model

INPUT, OUTPUT = "images", "output"

LONGEST = 2**16
"""The largest height and width in pixels that noise is defined for, see `i2i.model.noise`."""

R = TypeVar("R", bound=Run)


class HopelessError(I2IError):
    """An export that is impossible, also with a graph for one fixed size."""


@dataclass(frozen=True)
class Traced(Generic[R]):
    """A traced model and its export.

    Args:
        network: The traced network.
        program: The graph.
        exported: The export made from the graph.
        size_divisor: Height and width must be multiples of this.
        smallest: The smallest height and width that it accepts.
        fixed: The only height and width that it accepts; None if it accepts any multiples.
    """

    network: TestTime
    program: ExportedProgram
    exported: R
    size_divisor: int
    smallest: Size
    fixed: Size | None

    def sizes(self, training: Size) -> list[Size]:
        """Return the sizes to compare with PyTorch: the training's, a larger one, the smallest."""
        if self.fixed is not None:
            return [self.fixed]
        return list(dict.fromkeys([training, _larger(training, self.size_divisor), self.smallest]))


def trace(
    model: Model,
    make: Callable[[ExportedProgram], R],
    settings: TestSettings,
) -> Traced[R]:
    """Trace a model for any batch size and, if possible, for any image size.

    The graph for any image size is compared with the network at two sizes. If it differs, or
    can't be made, the network is traced again for the training's size only.

    Args:
        model: The model; it is not changed.
        make: Makes a runnable export from a graph.
        settings: Test-time statistics and noise.

    Raises:
        I2IError: If the generator can't be traced or exported, with torch's reason. If the traces
            for any size and for the training's size fail for two reasons, with both.
    """
    network = TestTime(copy.deepcopy(model.generator).cpu(), settings)
    network.eval().requires_grad_(False)
    channels, training = model.data.input.channels, model.recipe.augment.crop
    step = model.size_divisor
    # Trace a non-square example of at least two steps: tracing may specialise on equal sides, and
    # on the feature maps of one pixel that one step gives.
    side = max(*next_multiple(training, step), 2 * step)
    try:
        program = _program(network, (channels, side, side + step), step)
        exported = make(program)
    except HopelessError:
        raise
    except Exception as error:  # torch raises many types if a network needs a fixed size
        return _fixed(model, network, make, before=error)

    def takes(size: Size) -> bool:
        return _agree(exported, network, (channels, *size))

    if not (takes(training) and takes(_larger(training, step))):
        return _fixed(model, network, make)
    # Feature maps of one pixel have no statistics, so networks can behave differently there.
    smallest = next((size for size in ((step,) * 2, (2 * step,) * 2) if takes(size)), training)
    return Traced(network, program, exported, step, smallest, None)


def _fixed(
    model: Model,
    network: TestTime,
    make: Callable[[ExportedProgram], R],
    *,
    before: Exception | None = None,
) -> Traced[R]:
    """Trace a model for the training's size; `before` is the error of the trace for any size."""
    training = model.recipe.augment.crop
    try:
        program = _program(network, (model.data.input.channels, *training), None)
        exported = make(program)
    except Exception as error:
        reason, other = _in_a_line(error), _in_a_line(before) if before is not None else ""
        if not isinstance(error, I2IError):
            reason = f"the generator '{model.recipe.generator.type}' can't be exported: {reason}"
        if other and other not in reason:
            reason += f" (at {size_text(training)}; for any size: {other})"
        raise I2IError(reason) from error
    return Traced(network, program, exported, model.size_divisor, training, fixed=training)


def _in_a_line(error: Exception) -> str:
    """Format an error in one line, with its type unless it is an I2IError."""
    reason = str(error).strip().partition("\n")[0]
    return reason if isinstance(error, I2IError) else f"{type(error).__name__}: {reason}"


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings and logs of torch and ONNX, which don't concern users of i2i."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _program(network: nn.Module, shape: tuple[int, int, int], step: int | None) -> ExportedProgram:
    """Trace a network for images of a shape `(C, H, W)`; with a step, for any multiples of it."""
    free: dict[int, Any] = {0: Dim("batch", min=1, max=LONGEST)}
    if step is not None:
        for dimension, name in ((2, "height"), (3, "width")):
            steps = Dim(name, min=1, max=LONGEST // step)
            free[dimension] = steps if step == 1 else step * steps
    # This private option lets a graph accept feature maps of one pixel too.
    oblivious = shapes.patch(backed_size_oblivious=True)  # type: ignore[attr-defined]
    with quiet(), torch.no_grad(), oblivious:
        return torch.export.export(
            network,
            (torch.zeros(2, *shape),),
            dynamic_shapes={INPUT: free},
            strict=False,
            prefer_deferred_runtime_asserts_over_guards=True,
        )


def _larger(size: Size, step: int) -> Size:
    """Return a larger size with another aspect ratio."""
    return size[0] + step, size[1] + 2 * step


def _agree(exported: Run, network: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Return whether an export accepts a shape `(C, H, W)` and gives the network's output."""
    noise = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    try:
        with torch.inference_mode():
            difference = (exported(noise) - network(noise)).abs().max()
    except (RuntimeError, ValueError, AssertionError, I2IError):
        return False
    return bool(difference <= TOLERANCE)
