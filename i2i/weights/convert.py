"""Conversion of weight files into i2i's tensor names and layouts."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from i2i.weights.pickles import read_arrays, read_torchscript
from i2i.weights.tensors import Damaged

Tensors = dict[str, Tensor]


def from_canonical(name: str, data: bytes) -> Tensors:
    """Convert a canonical file, a state dict of plain tensors.

    The tensors of i2i's own weights get the names that it uses, and classifiers are dropped. Those
    of plugins are left as they are.

    Args:
        name: A name in the catalogue.
        data: The bytes of a safetensors file, or of one that `torch.save` wrote. The latter are
            read with `weights_only=True`, so no code in them runs.

    Raises:
        Damaged: If the bytes are not such a file.
    """
    try:
        state = (
            safetensors.torch.load(data)
            if data[8:9] == b"{"  # the header's length is before it
            else torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        )
    except Exception as error:  # a damaged file can raise anything
        reason = str(error).partition("\n")[0]
        raise Damaged(f"can't be read as plain tensors: {reason}") from error
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise Damaged("holds something other than plain tensors")
    converted = _CANONICAL.get(name, dict)(state)
    return {
        key: tensor.clone(memory_format=torch.contiguous_format)
        for key, tensor in converted.items()
    }


def from_member(name: str, data: bytes) -> Tensors:
    """Convert the weights file of a package; see `from_canonical` for those of plugins.

    Args:
        name: A name in the catalogue whose entry has a package.
        data: The file's bytes; no code in them is run.

    Raises:
        Damaged: If the bytes are not such a file.
    """
    try:
        return _MEMBERS[name](data) if name in _MEMBERS else from_canonical(name, data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Damaged(f"has unexpected content ({type(error).__name__}: {error})") from error


def _inception(state: Mapping[str, Tensor]) -> Tensors:
    return {
        key: tensor
        for key, tensor in state.items()
        if not key.startswith(("fc.", "AuxLogits.")) and not key.endswith("num_batches_tracked")
    }


def _features(state: Mapping[str, Tensor]) -> Tensors:
    """Keep torchvision's `features`, without the classifier."""
    return {key: tensor for key, tensor in state.items() if key.startswith("features.")}


def _efficientnet(state: Mapping[str, Tensor]) -> Tensors:
    """Rename the file's tensors to timm's names; both list the tensors in the same order."""
    from timm import create_model

    with torch.device("meta"):
        model = create_model("tf_efficientnet_lite0", pretrained=False)
    expected = model.state_dict()
    if [t.shape for t in expected.values()] != [t.shape for t in state.values()]:
        raise Damaged("its tensor shapes differ from those of timm's tf_efficientnet_lite0")
    return dict(zip(expected, state.values(), strict=True))


_STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")
_DOUBLE = ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3")
_SEVEN = tuple(f"branch7x7_{i}" for i in (1, 2, 3))
_SEVEN_DOUBLE = tuple(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5))
_A = ("branch1x1", "branch5x5_1", "branch5x5_2", *_DOUBLE, "branch_pool")
_B = ("branch3x3", *_DOUBLE)
_C = ("branch1x1", *_SEVEN, *_SEVEN_DOUBLE, "branch_pool")
_D = ("branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4)))
_E = (
    "branch1x1",
    *("branch3x3_1", "branch3x3_2a", "branch3x3_2b"),
    *("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b"),
    "branch_pool",
)
_BLOCKS = {"5b": _A, "5c": _A, "5d": _A, "6a": _B, "6b": _C, "6c": _C, "6d": _C, "6e": _C}
_BLOCKS |= {"7a": _D, "7b": _E, "7c": _E}

_PARTS = {"weight": "conv.weight", "beta": "bn.bias"}
_PARTS |= {"mean": "bn.running_mean", "var": "bn.running_var"}


def _convolutions() -> Iterator[str]:
    """Yield Inception's convolutions in the TorchScript file's order, with torch-fidelity's names.

    In the file, a block's `conv` is the 1x1 branch (3x3 in 6a), `tower` the next branch, `tower_1`
    the double branch and `tower_2` the pooling branch.
    """
    yield from (f"Conv2d_{name}" for name in _STEM)
    for block, branches in _BLOCKS.items():
        yield from (f"Mixed_{block}.{branch}" for branch in branches)


def _torchscript_inception(data: bytes) -> Tensors:
    parts: dict[str, Tensors] = {}
    for key, tensor in read_torchscript(data).items():
        convolution, _, part = key.rpartition(".")
        parts.setdefault(convolution, {})[_PARTS[part]] = tensor
    tensors: Tensors = {}
    for name, found in zip(_convolutions(), parts.values(), strict=True):
        tensors |= {f"{name}.{part}": tensor.clone() for part, tensor in found.items()}
        tensors[f"{name}.bn.weight"] = torch.ones_like(found["bn.bias"])
    return tensors


def _flax(network: str, indices: tuple[int, ...]) -> Callable[[bytes], Tensors]:
    """Return a converter from Flax layers, with kernels (h, w, in, out), to torchvision's names."""

    def converted(data: bytes) -> Tensors:
        layers: dict[str, Any] = read_arrays(data)[network]
        tensors: Tensors = {}
        for i, index in enumerate(indices):
            layer = layers[f"Conv_{i}"]
            kernel = torch.from_numpy(layer["kernel"]).permute(3, 2, 0, 1)
            tensors[f"features.{index}.weight"] = kernel.contiguous()
            tensors[f"features.{index}.bias"] = torch.from_numpy(layer["bias"]).clone()
        return tensors

    return converted


_CANONICAL: dict[str, Callable[[Mapping[str, Tensor]], Tensors]] = {
    "inception": _inception,
    "alexnet": _features,
    "vgg16": _features,
    "squeezenet1_1": _features,
    "efficientnet_lite0": _efficientnet,
}
_MEMBERS: dict[str, Callable[[bytes], Tensors]] = {
    "inception": _torchscript_inception,
    "alexnet": _flax("AlexNet_0", (0, 3, 6, 8, 10)),
    "vgg16": _flax("VGG16_0", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),
}
