"""Reading safetensors files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from i2i.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path) -> "tuple[dict[str, Tensor], dict[str, str]]":
    """Read the tensors and the metadata of a safetensors file; nothing is verified.

    Raises:
        CheckpointError: If it can't be read, or is not a safetensors file.
    """
    try:
        with opened(path) as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: can't be read as safetensors: {error}") from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file, also one whose name is not UTF-8, which safetensors refuses.

    Raises:
        OSError, SafetensorError: If it can't be read, or is not a safetensors file.
    """
    with path.open("rb") as file:
        try:
            name = os.fsencode(path).decode()
        except UnicodeDecodeError:
            name = f"/dev/fd/{file.fileno()}"
        with safe_open(name, framework="pt") as tensors:
            yield tensors
