"""The weights cache: safetensors files, verified on every read."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from i2i.errors import WeightsError
from i2i.system.hashing import tensors_sha256
from i2i.system.tensor_file import write_tensors
from i2i.weights.catalogue import Pinned
from i2i.weights.places import kept_file, kept_folder
from i2i.weights.tensors import Damaged, read
from i2i.weights.used import YOURS, Loaded

_SHA256 = "tensors_sha256"
_SOURCE = "source"


def checked(pinned: Pinned, path: Path) -> Loaded:
    """Read a safetensors file and verify the SHA-256 of its tensors.

    If the catalogue has no SHA-256, the one in the file's metadata is used.

    Raises:
        Damaged: If the file is incomplete, holds other tensors, or has no SHA-256 to check.
        OSError: If the file can't be read.
    """
    tensors, metadata = read(path)
    found = tensors_sha256(tensors)
    expected = pinned.sha256 or metadata.get(_SHA256)
    if expected is None:
        raise Damaged("doesn't say the SHA-256 of its tensors, and none is known")
    if found != expected:
        raise Damaged(f"is damaged: SHA-256 of its tensors {found}, expected {expected}")
    source = metadata.get(_SOURCE, "unknown")
    if source.startswith(YOURS):  # version 0.1 appended the folder's path
        source = YOURS
    return Loaded(pinned.name, tensors, found, source, path)


def keep(pinned: Pinned, tensors: Mapping[str, Tensor], source: str) -> Path:
    """Write verified weights into the cache atomically; the caller must hold the lock.

    Args:
        pinned: The catalogue's entry.
        tensors: The verified tensors by name.
        source: The source, as text.

    Raises:
        WeightsError: If the cache can't be written.
    """
    path = kept_file(pinned)
    metadata = {_SHA256: tensors_sha256(tensors), _SOURCE: source}
    try:
        write_tensors(path, tensors, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(unwritable(error)) from error
    return path


def unwritable(error: Exception) -> str:
    """Return the error message for a cache that can't be written."""
    return f"{kept_folder()}: can't write weights: {error}; set I2I_CACHE_DIR to another folder"
