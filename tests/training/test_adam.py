"""Adam on flat views against torch's own."""

import copy

import pytest
import torch
from torch import nn

from i2i.training.adam import Adam

LAYOUTS = pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])


def network(layout: torch.memory_format) -> nn.Module:
    torch.manual_seed(0)
    # No norm: the gradient of a bias before one is noise, of which Adam makes whole steps.
    layers = nn.Sequential(nn.Conv2d(3, 8, 4), nn.Tanh(), nn.Conv2d(8, 5, 1))
    return layers.to(memory_format=layout)


def steps(net: nn.Module, optimizer: torch.optim.Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        optimizer.zero_grad()
        images = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(step))
        net(images).square().sum().backward()
        optimizer.step()


def assert_same(one: nn.Module, other: nn.Module) -> None:
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


@LAYOUTS
def test_updates_are_torch_s(layout: torch.memory_format) -> None:
    ours, theirs = network(layout), network(torch.contiguous_format)
    steps(ours, Adam(ours.parameters(), 0.01, (0.5, 0.999), fused=True), 0, 5)
    steps(theirs, torch.optim.Adam(theirs.parameters(), 0.01, (0.5, 0.999)), 0, 5)
    assert_same(ours, theirs)


@LAYOUTS
def test_a_state_saved_in_another_layout_is_gone_on_from(layout: torch.memory_format) -> None:
    whole = network(torch.contiguous_format)
    steps(whole, Adam(whole.parameters(), 0.01, fused=True), 0, 6)

    other = torch.channels_last if layout is torch.contiguous_format else torch.contiguous_format
    first = network(other)
    optimizer = Adam(first.parameters(), 0.01, fused=True)
    steps(first, optimizer, 0, 3)
    second = copy.deepcopy(first).to(memory_format=layout)
    resumed = Adam(second.parameters(), 0.01, fused=True)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(second, resumed, 3, 6)
    assert_same(second, whole)
