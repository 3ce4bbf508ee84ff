"""Float32 for parts of a training that would change in half precision."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def full_precision(device: str) -> AbstractContextManager[Any]:
    """A context that turns autocast off on a type of device, such as `cuda`."""
    if device == "meta":  # torch has no autocast for it
        return nullcontext()
    return torch.autocast(device, enabled=False)  # noqa: TID251
