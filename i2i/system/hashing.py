"""SHA-256 of texts, JSON values, files and tensors."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def text_sha256(text: str) -> str:
    """The SHA-256 of a text, encoded as UTF-8; what UTF-8 does not have is escaped."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def json_sha256(value: Any) -> str:
    """The SHA-256 of a value written as JSON with sorted keys."""
    return text_sha256(json.dumps(value, sort_keys=True))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes.

    Raises:
        OSError: If the file can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensors_sha256(tensors: "Mapping[str, Tensor]") -> str:
    """One SHA-256 over the names, dtypes, shapes and bytes of all tensors, sorted by name."""
    import torch

    whole = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        shape = "x".join(map(str, tensor.shape))
        whole.update(f"{name}\0{dtype}\0{shape}\0".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()
