"""Tensors on disk: safetensors files, and the SHA-256 of what they hold."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from i2i.system.hashing import file_sha256


class Damaged(Exception):
    """A file that doesn't hold what it should; the sentence says how, without the file's name."""


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises:
        Damaged: If it isn't a whole one.
        OSError: If it can't be read.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            # Copies: what is given are views of the file, which can change after it was verified.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except SafetensorError as error:
        raise Damaged(
            f"is no whole safetensors file ({error}); SHA-256 of the file {file_sha256(path)}"
        ) from error
