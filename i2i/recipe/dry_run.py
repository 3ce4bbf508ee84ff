"""One step of a recipe's training on torch's meta device, which stores no values."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from i2i.batch import Batch
from i2i.errors import RecipeError
from i2i.images.sizes import crop_size_text, size_text
from i2i.methods.contract import check_terms
from i2i.methods.method import Method, trained_parameters
from i2i.recipe.assemble import assemble_method, method_title
from i2i.recipe.networks import sized
from i2i.recipe.schema import Recipe

LARGEST = 2**40
"""Bytes of memory that no training may need, on any machine."""

ADAM = 4
"""Numbers that training stores for each trained parameter: itself, its gradient, two moments."""

ONE_VALUE = "Expected more than 1"
"""Start of torch's message when a norm gets a single value per channel."""


@dataclass(frozen=True)
class DryRun:
    """What is known of a training before anything is allocated for it.

    Args:
        networks: The networks by name, on the meta device.
        shapes: Input and output shape of each network that was called with one tensor, such as
            `3x32x32 -> 3x32x32`; of a discriminator, the logits of every scale.
        memory: Bytes that the weights, their gradients, Adam's moments and a batch need at least.
    """

    networks: Mapping[str, nn.Module]
    shapes: Mapping[str, str]
    memory: int


def dry_run(
    recipe: Recipe,
    channels: tuple[int, int],
    losses: Mapping[str, nn.Module],
    *,
    ranks: int = 1,
    available: int = LARGEST,
) -> DryRun | None:
    """Build the networks of a recipe and train them for one step, without memory for values.

    Args:
        recipe: The recipe.
        channels: Channels of inputs and targets.
        losses: The recipe's losses by label; they are not changed.
        ranks: Number of processes that share a batch.
        available: Bytes of memory that the training may need.

    Returns:
        What was found; None if a component can't work on the meta device.

    Raises:
        RecipeError: If the training needs more memory than is available, or a network can't
            process its images. If a norm gets a single value per channel, the message has the
            batch size or crop that helps.
    """
    try:
        return _tried(recipe, channels, losses, ranks, available)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        if "meta" in reason:
            return None
        size = size_text(recipe.augment.crop)
        if ONE_VALUE in reason:
            helps = _what_helps(recipe, channels, losses, ranks)
            advice = f"set {' or '.join(helps)}" if helps else "choose another norm"
            reason = f"a norm gets a single value per channel: {advice}"
        raise RecipeError([f"the networks can't be trained on {size}: {reason}"]) from error


def _tried(
    recipe: Recipe,
    channels: tuple[int, int],
    losses: Mapping[str, nn.Module],
    ranks: int,
    available: int = LARGEST,
) -> DryRun:
    losses = {label: _on_meta(loss) for label, loss in losses.items()}
    with torch.device("meta"):
        method = assemble_method(recipe, channels, losses)
        batch = sized("a batch", lambda: _batch(recipe, channels, ranks))
        memory = _memory(method, batch)
        if memory > available:
            raise _too_large(method, memory, available)
        shapes = _shapes(method.networks)
        played = method.play(batch)
        for players in method.rounds:
            check_terms(method.losses(players, batch, played), players, method_title(recipe))
    return DryRun(method.networks, shapes, memory)


def _what_helps(
    recipe: Recipe, channels: tuple[int, int], losses: Mapping[str, nn.Module], ranks: int
) -> list[str]:
    """The changes of the batch size or of the crop with which the networks can be trained."""
    pairs = 2 * recipe.train.accumulate * ranks
    train = recipe.train.model_copy(update={"batch_size": pairs})
    crop, load = (2 * recipe.augment.crop[0], 2 * recipe.augment.crop[1]), recipe.augment.load
    fits = recipe.augment.load_size is None or (load[0] >= crop[0] and load[1] >= crop[1])
    sizes = {"crop_size": crop} if fits else {"crop_size": crop, "load_size": crop}
    augment = recipe.augment.model_copy(update=sizes)
    keys = " and ".join(f"augment.{key}" for key in sizes)
    helps = []
    for text, change in (
        (f"train.batch_size to {pairs}", {"train": train}),
        (f"{keys} to {crop_size_text(crop)}", {"augment": augment}),
    ):
        try:
            _tried(recipe.model_copy(update=change), channels, losses, ranks)
        except (RecipeError, RuntimeError, ValueError):
            continue
        helps.append(text)
    return helps


def _on_meta(module: nn.Module) -> nn.Module:
    """A copy of a module on the meta device; its values are not copied."""
    parameters = {id(p): nn.Parameter(p.to("meta"), p.requires_grad) for p in module.parameters()}
    buffers = {id(buffer): buffer.to("meta") for buffer in module.buffers()}
    return copy.deepcopy(module, {**parameters, **buffers})


def _batch(recipe: Recipe, channels: tuple[int, int], ranks: int) -> Batch:
    """The pairs that one process computes at a time."""
    pairs = max(1, recipe.train.batch_size // (recipe.train.accumulate * ranks))
    images = [torch.empty(pairs, n, *recipe.augment.crop) for n in channels]
    return Batch(images[0], images[1], ())


def _memory(method: Method, batch: Batch) -> int:
    trained = {id(p) for own in trained_parameters(method).values() for p in own}
    weights = (
        parameter.nbytes * (ADAM if id(parameter) in trained else 1)
        for network in method.networks.values()
        for parameter in network.parameters()
    )
    return sum(weights) + batch.input.nbytes + batch.target.nbytes


def _too_large(method: Method, memory: int, available: int) -> RecipeError:
    sizes = ", ".join(f"{name} {parameters(n):,}" for name, n in method.networks.items())
    return RecipeError(
        [
            f"training needs at least {bytes_text(memory)} of memory (parameters: {sizes}), more "
            f"than {bytes_text(available)}: choose smaller networks, images or batches"
        ]
    )


def _shapes(networks: Mapping[str, nn.Module]) -> dict[str, str]:
    """A table that gets the shapes of networks whenever they are called with one tensor alone.

    A method's own network may take several, and a generator the layers whose results are asked for.
    """
    shapes: dict[str, str] = {}

    def note(name: str, given: tuple[object, ...], output: object) -> None:
        match given, output:
            case (torch.Tensor() as images,), torch.Tensor() | list() | tuple():
                results = _results(output)
                if results:
                    shapes[name] = f"{_shape(images)} -> {', '.join(map(_shape, results))}"

    for name, network in networks.items():
        network.register_forward_hook(
            lambda _, inputs, output, name=name: note(name, inputs, output)
        )
    return shapes


def _results(output: torch.Tensor | Sequence[object]) -> list[torch.Tensor]:
    """The tensors in a network's output, of a sequence within it the last, as in a judgement."""
    entries = [output] if isinstance(output, torch.Tensor) else output
    last = [entry[-1] if isinstance(entry, list | tuple) and entry else entry for entry in entries]
    return [result for result in last if isinstance(result, torch.Tensor)]


def _shape(images: torch.Tensor) -> str:
    return "x".join(str(side) for side in images.shape[1:])


def parameters(network: nn.Module) -> int:
    """Number of a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def bytes_text(size: int) -> str:
    """A number of bytes for people."""
    unit = next(i for i in range(1, 7) if size < 1000 * 2 ** (10 * i) or i == 6)
    return f"{size / 2 ** (10 * unit):,.1f} {'KMGTPE'[unit - 1]}iB"
