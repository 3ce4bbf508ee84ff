"""Reading and writing safetensors files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from i2i.errors import CheckpointError
from i2i.system.files import replacing, scratch

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path) -> "tuple[dict[str, Tensor], dict[str, str]]":
    """Read the tensors and the metadata of a safetensors file; nothing is verified.

    Raises:
        CheckpointError: If it can't be read, or is not a safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: can't be read as safetensors: {error}") from error


def write_tensors(path: Path, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str]) -> None:
    """Write a safetensors file atomically.

    Args:
        path: The file; its folder must exist.
        tensors: Contiguous tensors on the CPU, by name.
        metadata: Text by name.

    Raises:
        OSError, SafetensorError: If the file can't be written.
    """
    from safetensors.torch import save_file  # imports torch, which is slow

    # safetensors writes to a temporary file beside the path that it is given. A kill would leave
    # that file behind, so it gets a folder that `remove_leftovers` finds.
    with replacing(path) as unfinished, scratch(path) as folder:
        save_file(dict(tensors), folder / path.name, dict(metadata))
        (folder / path.name).replace(unfinished)
