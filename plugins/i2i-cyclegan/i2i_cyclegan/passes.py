"""Several batches in one pass through a network."""

from typing import Any

import torch
from torch import Tensor, nn


def at_once(network: nn.Module, *batches: Tensor) -> list[Any]:
    """Apply a network to several batches `(N, C, H, W)` of the same shape.

    They go through it together, unless it has batch norm: that would mix their statistics.

    Returns:
        What the network returns for each batch.
    """
    if any(isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm) for layer in network.modules()):
        return [network(batch) for batch in batches]
    return _split(network(torch.cat(batches)), len(batches))


def _split(together: Any, parts: int) -> list[Any]:
    """Split a tensor, or all tensors in lists, into parts of equal length."""
    if isinstance(together, Tensor):
        return list(together.chunk(parts))
    return [list(part) for part in zip(*(_split(each, parts) for each in together), strict=True)]
