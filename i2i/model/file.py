"""The file of a trained model: weights, and as metadata everything that is needed to use it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from i2i.errors import CheckpointError
from i2i.system.hashing import tensors_sha256, text_sha256
from i2i.system.tensor_file import check_fits, read_tensors, write_tensors
from i2i.system.version import __version__

FORMAT = "i2i"
_DESCRIBED = ("recipe", "data", "step")


class ModelFile(NamedTuple):
    """The content of a model file.

    Args:
        tensors: The weights by name.
        metadata: `recipe`, the resolved recipe in TOML; `data`, the result of
            `DatasetInfo.to_json`; `step`, the number of training steps; and `sha256`, of all these
            and the weights.
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def write_model(path: Path, model: nn.Module, *, recipe: str, data: str, step: int) -> None:
    """Write a model file atomically.

    Args:
        path: The file.
        model: The network whose weights are written.
        recipe: The resolved recipe in TOML.
        data: The result of `DatasetInfo.to_json`.
        step: Number of training steps.

    Raises:
        OSError, SafetensorError: If the file can't be written.
    """
    tensors = {
        name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()
    }
    described = {"recipe": recipe, "data": data, "step": str(step)}
    metadata = {"format": FORMAT, "i2i": __version__, **described}
    write_tensors(path, tensors, metadata | {"sha256": _sha256(tensors, described)})


def read_model(path: Path) -> ModelFile:
    """Read a model file and check its SHA-256.

    Raises:
        CheckpointError: If it can't be read, is damaged, or is not a model file of i2i.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT or not {*_DESCRIBED, "sha256"} <= metadata.keys():
        raise CheckpointError(
            f"{path}: is not a model file of this version of i2i: its metadata has no "
            f"{', '.join(key for key in (*_DESCRIBED, 'sha256') if key not in metadata) or FORMAT}"
        )
    if metadata["sha256"] != _sha256(tensors, metadata):
        raise CheckpointError(f"{path}: is damaged: its SHA-256 isn't the one written in it")
    if not re.fullmatch("[0-9]{1,18}", metadata["step"]):
        raise CheckpointError(f"{path}: its number of training steps is no whole number")
    return ModelFile(tensors, metadata)


def load_model(path: Path, network: nn.Module) -> None:
    """Load a model file into a network of the same architecture.

    Raises:
        CheckpointError: If the file is damaged, or its tensors don't fit the network; the message
            lists those that differ.
    """
    load_state(network, read_model(path).tensors, path)


def load_state(
    network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, assign: bool = False
) -> None:
    """Load tensors into a network after checking names, shapes and types.

    Args:
        network: The network.
        tensors: The weights by name.
        path: The file that they come from, for the message.
        assign: Use the tensors themselves as the network's parameters, instead of copying them.

    Raises:
        CheckpointError: If names, shapes or types differ; the message lists them. Or if
            weights are not finite.
    """
    check_fits(path, tensors, network.state_dict())
    network.load_state_dict(dict(tensors), assign=assign)
    if not are_finite(network):
        raise CheckpointError(
            f"{path}: its weights are not finite: the training had diverged when it was saved. Use "
            "an earlier checkpoint, or train again"
        )


def are_finite(network: nn.Module) -> bool:
    """Whether all weights are finite; buffers may contain infinities on purpose, as masks."""
    return all(bool(parameter.isfinite().all()) for parameter in network.parameters())


def _sha256(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    described = "\0".join(metadata[key] for key in _DESCRIBED)
    return text_sha256(f"{tensors_sha256(tensors)}\0{described}")
