"""Tensors on disk: safetensors files, and the SHA-256 of what they hold."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor


class Damaged(Exception):
    """A file that doesn't hold what it should; the sentence says how, without the file's name."""


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """One SHA-256 over the names, dtypes, shapes and bytes of all tensors, in the names' order."""
    whole = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        shape = "x".join(map(str, tensor.shape))
        whole.update(f"{name}\0{dtype}\0{shape}\0".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
