"""Networks of metrics on the devices that images are on."""

from copy import deepcopy
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)

_copies: WeakKeyDictionary[nn.Module, dict[torch.device, nn.Module]] = WeakKeyDictionary()


def on_device(network: Network, device: torch.device) -> Network:
    """The network on a device: itself where it is there already, else a copy that is kept.

    Metrics share networks, and may see images on several devices in turn: moving one network to
    and fro would take longer than its computations.
    """
    own = next(network.parameters()).device
    if own == device:
        return network
    copies = _copies.setdefault(network, {})
    if device not in copies:
        copies[device] = deepcopy(network).to(device)
    copied = copies[device]
    assert isinstance(copied, type(network))
    return copied
