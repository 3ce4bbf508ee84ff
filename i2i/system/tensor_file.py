"""Reading and writing safetensors files, and comparing their tensors with those of a network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from i2i.errors import CheckpointError
from i2i.system.files import is_utf8, replacing, scratch

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN = 20
"""Largest number of tensors that a message lists."""


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


def check_fits(
    path: Path, tensors: "Mapping[str, Tensor]", expected: "Mapping[str, Tensor]"
) -> None:
    """Check that tensors have the names, shapes and types of a network's.

    Args:
        path: The file that the tensors come from, for the message.
        tensors: The tensors by name.
        expected: The network's state; it may be on the meta device.

    Raises:
        CheckpointError: If they differ; the message lists the differences.
    """
    differing = [f"'{name}' is missing" for name in expected.keys() - tensors.keys()]
    differing += [f"'{name}' is not in this network" for name in tensors.keys() - expected.keys()]
    for name in expected.keys() & tensors.keys():
        found, own = tensors[name], expected[name]
        if found.shape != own.shape:
            differing.append(f"'{name}' is {list(found.shape)} instead of {list(own.shape)}")
        elif found.dtype != own.dtype:
            differing.append(f"'{name}' is {found.dtype} instead of {own.dtype}")
    if differing:
        shown = "; ".join(sorted(differing)[:_SHOWN])
        more = f"; and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise CheckpointError(
            f"{path}: has the weights of another architecture ({len(differing)} of "
            f"{len(expected)} tensors differ): {shown}{more}"
        )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file, also one whose name is not UTF-8, which safetensors refuses.

    Raises:
        OSError, SafetensorError: If it can't be read, or is not a safetensors file.
    """
    with path.open("rb") as file:
        name = path if is_utf8(path) else f"/dev/fd/{file.fileno()}"
        with safe_open(name, framework="pt") as tensors:
            yield tensors
