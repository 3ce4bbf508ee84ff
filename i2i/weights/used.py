"""The weights that this process has loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


YOURS = "your folder"
"""The `source` of weights from the user's folder. It contains no path, because records and model
files store it and are copied to other machines."""


@dataclass(frozen=True)
class Loaded:
    """Verified weights.

    Args:
        name: Their name in the catalogue.
        tensors: The tensors by name, on the CPU.
        sha256: SHA-256 of the tensors, see `tensors_sha256`.
        source: Where they came from, as text without paths of this machine.
        path: The safetensors file that holds them.
    """

    name: str
    tensors: dict[str, Tensor]
    sha256: str
    source: str
    path: Path


_USED: dict[str, dict[str, str]] = {}


def record(name: str, sha256: str, source: str) -> None:
    """Record that this process uses these weights."""
    _USED[name] = {"sha256": sha256, "source": source}


def used() -> dict[str, dict[str, str]]:
    """Return `sha256` and `source` of all weights that this process has loaded, by name."""
    return {name: dict(entry) for name, entry in _USED.items()}
