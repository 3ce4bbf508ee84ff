"""Metrics on accelerators, as far as it can be tested without one: `meta` stands for it."""

import gc
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from i2i.datasets.decoded import decode
from i2i.evaluation.split import evaluate_split
from i2i.metrics.devices import on_device
from i2i.metrics.perceptual import LPIPS
from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_dataset, assemble_generator

CPU, META = torch.device("cpu"), torch.device("meta")


class Moves(TorchFunctionMode):
    """Notes what is moved to a device."""

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.to and isinstance(args[1], torch.device):
            self.moved.append(args[0])
        return func(*args, **(kwargs or {}))


def test_a_network_stays_where_it_is_and_each_device_has_one_copy() -> None:
    network = nn.Linear(2, 3)
    assert on_device(network, CPU) is network
    copied = on_device(network, META)
    assert copied.weight.is_meta
    assert on_device(network, META) is copied
    assert not network.weight.is_meta
    gone = weakref.ref(copied)
    del network, copied
    gc.collect()
    assert gone() is None


def test_lpips_on_two_devices_in_turn_gives_the_same(weights: Path) -> None:
    source = torch.Generator().manual_seed(0)
    pair = torch.randint(0, 256, (2, 1, 3, 40, 40), dtype=torch.uint8, generator=source)
    metric = LPIPS()
    before = metric.per_image(*pair)
    assert metric.per_image(*pair.to(META)).is_meta
    assert torch.equal(LPIPS().per_image(*pair), before)


@pytest.mark.parametrize("metrics", [["l1"], ["l1", "lpips"]])
def test_evaluation_moves_each_image_once_and_no_network(
    weights: Path, tiny_recipe: Callable[..., Recipe], tmp_path: Path, metrics: list[str]
) -> None:
    recipe = tiny_recipe(test={"batch_size": 2})
    decoded = decode(assemble_dataset(recipe), "test", recipe.augment.crop)
    generator = assemble_generator(recipe, 3, 3)
    with Moves() as moves:
        document = evaluate_split(
            generator, decoded, recipe, CPU, tmp_path, metrics=metrics, split="test", step=0
        )
    assert set(document["input_as_output"]) == set(metrics)
    assert not any(isinstance(tensor, nn.Parameter) for tensor in moves.moved)
    # The generator's inputs, and inputs, outputs and targets for all metrics.
    assert sum(map(len, moves.moved)) == 4 * len(decoded.names)
