"""From the files that carry weights to the tensors that i2i keeps."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from i2i.weights.pickles import read_arrays, read_torchscript
from i2i.weights.tensors import Damaged

Tensors = dict[str, Tensor]


def from_canonical(name: str, data: bytes) -> Tensors:
    """The tensors of a canonical .pth file; its classifier is left out where nobody uses it.

    Args:
        name: One of the catalogue's.
        data: The file's bytes; they are read as plain data, never as code.

    Raises:
        Damaged: If it isn't such a file.
    """
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes of it
        reason = str(error).partition("\n")[0]
        raise Damaged(f"can't be read as plain tensors: {reason}") from error
    if not isinstance(state, Mapping) or not all(isinstance(t, Tensor) for t in state.values()):
        raise Damaged("holds no plain tensors")
    converted = _CANONICAL[name](state)
    return {
        key: tensor.clone(memory_format=torch.contiguous_format)
        for key, tensor in converted.items()
    }


def from_member(name: str, data: bytes) -> Tensors:
    """The tensors of the file that a package carries.

    Args:
        name: One of the catalogue's that has a package.
        data: The file's bytes; no code in it is run.

    Raises:
        Damaged: If it isn't such a file.
    """
    try:
        return _MEMBERS[name](data)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Damaged(f"holds something else ({type(error).__name__}: {error})") from error


def _inception(state: Mapping[str, Tensor]) -> Tensors:
    return {
        key: tensor
        for key, tensor in state.items()
        if not key.startswith(("fc.", "AuxLogits.")) and not key.endswith("num_batches_tracked")
    }


def _features(state: Mapping[str, Tensor]) -> Tensors:
    """The convolutions under torchvision's names, without its classifier."""
    return {key: tensor for key, tensor in state.items() if key.startswith("features.")}


def _efficientnet(state: Mapping[str, Tensor]) -> Tensors:
    """The file's tensors in its own order, which is that of timm's state dict."""
    from timm import create_model

    with torch.device("meta"):
        model = create_model("tf_efficientnet_lite0", pretrained=False)
    expected = model.state_dict()
    if [t.shape for t in expected.values()] != [t.shape for t in state.values()]:
        raise Damaged("holds tensors of other shapes than timm's tf_efficientnet_lite0")
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
    """Inception's convolutions by torch-fidelity's names, in the TorchScript file's order.

    There a block's `conv` is its 1x1 branch (3x3 in 6a), `tower` the next branch, `tower_1` the
    double one and `tower_2` the pooled one.
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
    """From Flax's layers, with kernels (h, w, in, out), to torchvision's `features`."""

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
    "efficientnet_lite0": lambda data: from_canonical("efficientnet_lite0", data),
}
