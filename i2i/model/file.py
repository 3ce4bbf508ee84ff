"""The one file of a trained model: its weights, and in its metadata all that using it needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from i2i.errors import CheckpointError
from i2i.system.hashing import tensors_sha256, text_sha256
from i2i.system.version import __version__

FORMAT = "i2i"
_DESCRIBED = ("recipe", "data", "step")


class ModelFile(NamedTuple):
    """What a model file holds.

    Args:
        tensors: The weights by name.
        metadata: `recipe`, the resolved recipe in TOML; `data`, what `DatasetInfo.to_json` wrote;
            `step`, after how many updates it was saved; `sha256`, over all of these and the
            weights.
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def write_model(path: Path, model: nn.Module, *, recipe: str, data: str, step: int) -> None:
    """Write a network's weights with what is to be known of them.

    Raises:
        OSError, SafetensorError: If the file can't be written.
    """
    tensors = {
        name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()
    }
    described = {"recipe": recipe, "data": data, "step": str(step)}
    metadata = {"format": FORMAT, "i2i": __version__, **described}
    save_file(tensors, path, metadata | {"sha256": _sha256(tensors, described)})


def read_model(path: Path) -> ModelFile:
    """Read a model file and check every byte of it against its own SHA-256.

    Raises:
        CheckpointError: If it can't be read, is damaged, or is no model of i2i's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: can't be read as safetensors: {error}") from error
    if metadata.get("format") != FORMAT or not {*_DESCRIBED, "sha256"} <= metadata.keys():
        raise CheckpointError(
            f"{path}: is no model of this version of i2i's: its metadata has no "
            f"{', '.join(key for key in (*_DESCRIBED, 'sha256') if key not in metadata) or FORMAT}"
        )
    if metadata["sha256"] != _sha256(tensors, metadata):
        raise CheckpointError(f"{path}: is damaged: its SHA-256 isn't the one written in it")
    return ModelFile(tensors, metadata)


def load_model(path: Path, network: nn.Module) -> None:
    """Read a model file into a network of the same architecture.

    Raises:
        CheckpointError: If the file is damaged or its tensors aren't the network's; those that
            differ are listed.
    """
    load_state(network, read_model(path).tensors, path)


def load_state(
    network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, assign: bool = False
) -> None:
    """Copy tensors into a network that has exactly these, or give it them as its own.

    Raises:
        CheckpointError: If names or shapes differ; they are listed.
    """
    own = network.state_dict()
    differing = [f"'{name}' is missing" for name in own.keys() - tensors.keys()]
    differing += [f"'{name}' is not in this network" for name in tensors.keys() - own.keys()]
    for name in own.keys() & tensors.keys():
        given, wanted = tensors[name], own[name]
        if given.shape != wanted.shape:
            differing.append(f"'{name}' is {list(given.shape)} instead of {list(wanted.shape)}")
        elif given.dtype != wanted.dtype:
            differing.append(f"'{name}' is {given.dtype} instead of {wanted.dtype}")
    if differing:
        shown = "; ".join(sorted(differing)[:20])
        more = f"; and {len(differing) - 20} more" if len(differing) > 20 else ""
        raise CheckpointError(
            f"{path}: holds the weights of another architecture ({len(differing)} of "
            f"{len(own)} tensors differ): {shown}{more}"
        )
    network.load_state_dict(dict(tensors), assign=assign)


def _sha256(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    described = "\0".join(metadata[key] for key in _DESCRIBED)
    return text_sha256(f"{tensors_sha256(tensors)}\0{described}")
