"""How fast this machine can compute convolutions at all.

The limit is the throughput of the one convolution of the networks that PyTorch is fastest at, alone
and again and again on the same numbers: no training step, whose other convolutions suit the machine
less, can reach it.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.networks import plain_networks
from benchmarks.plain import plain_loop, ready_batch
from i2i.recipe import Recipe

REPEATS = 4
FORMATS = (torch.contiguous_format, torch.channels_last)

Convolution = nn.Conv2d | nn.ConvTranspose2d
Seen = tuple[Convolution, torch.Size]
"""A convolution and the shape of its input."""


def step_gflop(recipe: Recipe) -> float:
    """The billions of multiplications and additions that a training step takes."""
    step = plain_loop(recipe)
    with FlopCounterMode(display=False) as counter:
        next(step)
    return float(counter.get_total_flops()) / 1e9


def limit(recipe: Recipe) -> dict[str, float]:
    """GFLOP/s of the fastest convolution of the recipe's networks.

    Returns:
        `training` for a pass forwards and both gradients, `forward` for one forwards alone.
    """
    generator, discriminator = plain_networks(recipe)
    source, target = ready_batch(recipe)
    seen = convolutions(generator, source)
    seen += convolutions(discriminator, torch.cat([source, target], 1))
    best = {"training": 0.0, "forward": 0.0}
    for layer, shape in _different(seen):
        for form in FORMATS:
            for name, rate in _rates(layer, shape, form).items():
                best[name] = max(best[name], rate)
    return best


def convolutions(network: nn.Module, input: Tensor) -> list[Seen]:
    """The convolutions of a network, with the shapes they see."""
    seen: list[Seen] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, Convolution)
        seen.append((layer, inputs[0].shape))

    hooks = [
        module.register_forward_pre_hook(note)
        for module in network.modules()
        if isinstance(module, Convolution)
    ]
    with torch.no_grad():
        network(input)
    for hook in hooks:
        hook.remove()
    return seen


def forward_flop(layer: Convolution, input: torch.Size) -> int:
    """Multiplications and additions of a convolution forwards."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(torch.empty(input))
    return int(counter.get_total_flops())


def _different(seen: list[Seen]) -> list[Seen]:
    """Leave out those that are like another."""
    return list({(str(layer), shape): (layer, shape) for layer, shape in seen}.values())


def _rates(layer: Convolution, shape: torch.Size, form: torch.memory_format) -> dict[str, float]:
    layer.to(memory_format=form)
    input = torch.rand(shape).contiguous(memory_format=form).requires_grad_(True)
    gradient = torch.rand_like(layer(input))

    def forwards() -> None:
        with torch.no_grad():
            layer(input)

    def training() -> None:
        layer.zero_grad()
        input.grad = None
        layer(input).backward(gradient)

    gflop = forward_flop(layer, shape) / 1e9
    return {"training": 3 * gflop / _fastest(training), "forward": gflop / _fastest(forwards)}


def _fastest(call: Callable[[], Any]) -> float:
    """Seconds of the fastest of some calls, after one that doesn't count."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)
