"""Copies of metric networks on the devices of the images."""

from copy import deepcopy
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)

_copies: WeakKeyDictionary[nn.Module, dict[torch.device, nn.Module]] = WeakKeyDictionary()


def on_device(network: Network, device: torch.device) -> Network:
    """Return the network if it is on the device, else a cached copy on the device.

    Metrics share networks and may get images on several devices in turn. Moving one network back
    and forth would take longer than its computations.
    """
    current = next(network.parameters()).device
    if current == device:
        return network
    copies = _copies.setdefault(network, {})
    if device not in copies:
        copies[device] = deepcopy(network).to(device)
    copied = copies[device]
    assert isinstance(copied, type(network))
    return copied
