"""Reading safetensors files."""

from pathlib import Path

from safetensors import SafetensorError
from torch import Tensor

from i2i.system.hashing import file_sha256
from i2i.system.tensor_file import opened


class Damaged(Exception):
    """A file with invalid or unexpected content; the message omits the file's name."""


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and the metadata of a safetensors file.

    Raises:
        Damaged: If the file is incomplete or not a safetensors file.
        OSError: If the file can't be read.
    """
    try:
        with opened(path) as file:
            # Clone: the tensors are views of the file, which can change after verification.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except SafetensorError as error:
        raise Damaged(
            f"is not a complete safetensors file ({error}); SHA-256 of the file {file_sha256(path)}"
        ) from error
