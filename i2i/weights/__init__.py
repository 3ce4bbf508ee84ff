"""Pretrained weights: where each comes from, what pins it, where it is kept.

Every weight is pinned by a SHA-256 over its tensors, so that numbers are the same whatever source
was used: a folder of the user's (`I2I_WEIGHTS_DIR`), the cache, the publisher's own file, or a
Python package that carries it. Random weights are never a fall-back.
"""

from pathlib import Path

from i2i.weights.catalogue import CATALOGUE, Package, Pinned
from i2i.weights.used import Loaded, record, used

__all__ = ["CATALOGUE", "Loaded", "Package", "Pinned", "catalogue", "load", "path", "used"]


def catalogue() -> dict[str, Pinned]:
    """All weights that i2i knows, by name."""
    return dict(CATALOGUE)


def load(name: str) -> Loaded:
    """The weights of that name, verified, and fetched if they must be; `used` has them from now.

    Raises:
        WeightsError: If the name is unknown, a file in the user's folder is wrong, or no source
            has them; each source's answer is named.
    """
    from i2i.weights.resolve import resolve

    loaded = resolve(name)
    record(name, loaded.sha256, loaded.source)
    return loaded


def path(name: str) -> Path:
    """The verified safetensors file with the weights of that name, fetched if it must be.

    Raises:
        WeightsError: As `load` does.
    """
    from i2i.weights.resolve import resolve

    return resolve(name).path
