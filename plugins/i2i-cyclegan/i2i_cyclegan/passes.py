"""Several batches in one pass through a network."""

import torch
from torch import Tensor, nn


def at_once(network: nn.Module, *batches: Tensor) -> tuple[Tensor, ...]:
    """Apply a network to several batches `(N, C, H, W)` of the same shape.

    They go through it together, unless it has batch norm: that would mix their statistics.
    """
    if any(isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm) for layer in network.modules()):
        return tuple(map(network, batches))
    together: Tensor = network(torch.cat(batches))
    return together.chunk(len(batches))
