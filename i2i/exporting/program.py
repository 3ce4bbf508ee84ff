"""A model traced: its generator with test-time statistics and noise as one graph of tensors."""

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
"""Pixels a side up to which noise is defined, see `i2i.model.noise`."""

R = TypeVar("R", bound=Run)


class HopelessError(I2IError):
    """An export that can't be made, and couldn't of a graph for one size either."""


@dataclass(frozen=True)
class Traced(Generic[R]):
    """A model as one graph.

    Args:
        network: What was traced.
        program: The graph.
        exported: What was made of it.
        size_divisor: What height and width must be multiples of.
        smallest: The smallest height and width that it takes.
        fixed: The only height and width that it takes; None where any multiples will do.
    """

    network: TestTime
    program: ExportedProgram
    exported: R
    size_divisor: int
    smallest: Size
    fixed: Size | None

    def sizes(self, training: Size) -> list[Size]:
        """Where it has to agree with PyTorch: at the training's size, a larger and the smallest."""
        if self.fixed is not None:
            return [self.fixed]
        return list(dict.fromkeys([training, _larger(training, self.size_divisor), self.smallest]))


def trace(
    model: Model,
    make: Callable[[ExportedProgram], R],
    settings: TestSettings,
) -> Traced[R]:
    """The model as one graph for batches of any number and, where that can be, images of any size.

    Whether it can be is tried: networks whose export doesn't do what they do at another size are
    traced for the training's.

    Args:
        model: The model; it is left as it was.
        make: What makes an export of a graph, to be run.
        settings: How the generator is used.

    Raises:
        I2IError: If its generator can't be traced, with torch's reason, or the export not be made;
            if that is so for any size and for the training's for two reasons, with both.
    """
    network = TestTime(copy.deepcopy(model.generator).cpu(), settings)
    network.eval().requires_grad_(False)
    channels, training = model.data.input.channels, model.recipe.augment.crop
    step = model.size_divisor
    # Neither square nor of one step, which gives maps of one pixel: tracing may take it for a rule.
    side = max(*next_multiple(training, step), 2 * step)
    try:
        program = _program(network, (channels, side, side + step), step)
        exported = make(program)
    except HopelessError:
        raise
    except Exception as error:  # torch tells in many kinds that a network is for one size
        return _fixed(model, network, make, before=error)

    def takes(size: Size) -> bool:
        return _agree(exported, network, (channels, *size))

    if not (takes(training) and takes(_larger(training, step))):
        return _fixed(model, network, make)
    # Maps of one pixel have no statistics, so that networks take another path there.
    smallest = next((size for size in ((step,) * 2, (2 * step,) * 2) if takes(size)), training)
    return Traced(network, program, exported, step, smallest, None)


def _fixed(
    model: Model,
    network: TestTime,
    make: Callable[[ExportedProgram], R],
    *,
    before: Exception | None = None,
) -> Traced[R]:
    """The model as a graph for images of the training's size; before it, another has failed."""
    training = model.recipe.augment.crop
    try:
        program = _program(network, (model.data.input.channels, *training), None)
        exported = make(program)
    except Exception as error:
        reason, other = _told(error), _told(before) if before is not None else ""
        if not isinstance(error, I2IError):
            reason = f"the generator '{model.recipe.generator.type}' can't be exported: {reason}"
        if other and other not in reason:
            reason += f" (at {size_text(training)}; for any size: {other})"
        raise I2IError(reason) from error
    return Traced(network, program, exported, model.size_divisor, training, fixed=training)


def _told(error: Exception) -> str:
    """An error in one line, with its kind where it isn't ours."""
    reason = str(error).strip().partition("\n")[0]
    return reason if isinstance(error, I2IError) else f"{type(error).__name__}: {reason}"


@contextmanager
def quiet() -> Iterator[None]:
    """A context in which torch's and ONNX's warnings and logs, meant for others, don't show."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _program(network: nn.Module, shape: tuple[int, int, int], step: int | None) -> ExportedProgram:
    """The graph for batches of images of a shape; of any multiples of a step, if there is one."""
    free: dict[int, Any] = {0: Dim("batch", min=1, max=LONGEST)}
    if step is not None:
        for dimension, name in ((2, "height"), (3, "width")):
            steps = Dim(name, min=1, max=LONGEST // step)
            free[dimension] = steps if step == 1 else step * steps
    # Without the option, which has no public door, a graph is for maps of more than one pixel only.
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
    """Another size than one, and of another shape."""
    return size[0] + step, size[1] + 2 * step


def _agree(exported: Run, network: nn.Module, shape: tuple[int, int, int]) -> bool:
    """Whether an export takes an image of a shape, and does what the network does."""
    noise = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    try:
        with torch.inference_mode():
            difference = (exported(noise) - network(noise)).abs().max()
    except (RuntimeError, ValueError, AssertionError, I2IError):
        return False
    return bool(difference <= TOLERANCE)
