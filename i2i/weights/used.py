"""What this process has loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


YOURS = "your folder"
"""The source of weights in the user's folder. It names no path, for it stands in records and model
files, which go to other machines."""


@dataclass(frozen=True)
class Loaded:
    """Weights that are verified.

    Args:
        name: What i2i calls them.
        tensors: By name, on the CPU.
        sha256: Of the tensors, see `tensors_sha256`.
        source: Where they came from, in words that hold on any machine.
        path: The safetensors file that holds them.
    """

    name: str
    tensors: dict[str, Tensor]
    sha256: str
    source: str
    path: Path


_USED: dict[str, dict[str, str]] = {}


def record(name: str, sha256: str, source: str) -> None:
    """Note that this process computes with these weights."""
    _USED[name] = {"sha256": sha256, "source": source}


def used() -> dict[str, dict[str, str]]:
    """The `sha256` and `source` of all weights that this process has loaded, by name."""
    return {name: dict(entry) for name, entry in _USED.items()}
