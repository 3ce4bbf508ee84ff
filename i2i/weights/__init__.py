"""Pretrained weights: sources, SHA-256 checks and the cache.

The weights come from the user's folder (`I2I_WEIGHTS_DIR`), the cache, the publisher's file or a
Python package. A SHA-256 over the tensors identifies them, so metric values do not depend on the
source. i2i never falls back to random weights. Plugins add weights to the catalogue with the hook
`register_weights`, which is also how i2i's own get there.
"""

from pathlib import Path

from i2i.hookspecs import RegisterWeights, hookimpl
from i2i.system.hashing import tensors_sha256
from i2i.weights.catalogue import BUILT_IN, Package, Pinned, catalogue
from i2i.weights.used import Loaded, record, used

__all__ = [
    "Loaded",
    "Package",
    "Pinned",
    "catalogue",
    "load",
    "path",
    "tensors_sha256",
    "used",
]


@hookimpl
def register_weights(register: RegisterWeights) -> None:
    """Register the weights of the built-in components."""
    for pinned in BUILT_IN:
        register(pinned)


def load(name: str) -> Loaded:
    """Return the verified weights of that name, fetching them if necessary, and record their use.

    `used()` lists them from then on.

    Raises:
        WeightsError: If the name is unknown, a file in the user's folder is wrong, or every source
            failed; the message says how each one failed.
    """
    from i2i.weights.resolve import resolve

    loaded = resolve(name)
    record(name, loaded.sha256, loaded.source)
    return loaded


def path(name: str) -> Path:
    """Return the verified safetensors file of that name, fetching the weights if necessary.

    Raises:
        WeightsError: In the same cases as `load`.
    """
    from i2i.weights.resolve import resolve

    return resolve(name).path
