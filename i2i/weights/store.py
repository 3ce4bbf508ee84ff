"""The weights that are kept: safetensors files in the cache, verified whenever they are read."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from i2i.errors import WeightsError
from i2i.system.files import replacing
from i2i.system.hashing import tensors_sha256
from i2i.weights.catalogue import Pinned
from i2i.weights.places import kept_file, kept_folder
from i2i.weights.tensors import Damaged, read
from i2i.weights.used import YOURS, Loaded

_SHA256 = "tensors_sha256"
_SOURCE = "source"


def checked(pinned: Pinned, path: Path) -> Loaded:
    """The weights of a safetensors file, every byte verified.

    Without a pinned hash, the one that was written into the file when it was made is what counts.

    Raises:
        Damaged: If it holds anything else.
        OSError: If it can't be read.
    """
    tensors, metadata = read(path)
    found = tensors_sha256(tensors)
    expected = pinned.sha256 or metadata.get(_SHA256)
    if expected is None:
        raise Damaged("doesn't say the SHA-256 of its tensors, and none is known")
    if found != expected:
        raise Damaged(f"is damaged: SHA-256 of its tensors {found}, expected {expected}")
    source = metadata.get(_SOURCE, "unknown")
    if source.startswith(YOURS):  # caches of version 0.1 have the path behind it
        source = YOURS
    return Loaded(pinned.name, tensors, found, source, path)


def keep(pinned: Pinned, tensors: Mapping[str, Tensor], source: str) -> Path:
    """Write weights into the cache, whole or not at all; for who holds the lock.

    Args:
        pinned: What they are; the tensors are verified already.
        tensors: By name.
        source: Where they came from, in words.

    Raises:
        WeightsError: If they can't be written.
    """
    path = kept_file(pinned)
    metadata = {_SHA256: tensors_sha256(tensors), _SOURCE: source}
    try:
        with replacing(path) as unfinished:
            save_file(dict(tensors), unfinished, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(unwritable(error)) from error
    return path


def unwritable(error: Exception) -> str:
    """What to do where the cache can't be written."""
    return f"{kept_folder()}: can't keep weights: {error}; set I2I_CACHE_DIR to another folder"
