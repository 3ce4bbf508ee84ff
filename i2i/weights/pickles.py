"""Safe unpickling: a pickle can call any function that it names, so only a few are allowed."""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct
from torch import Tensor

from i2i.weights.tensors import Damaged


def read_arrays(data: bytes) -> Any:
    """Read a pickle that holds dicts of NumPy arrays.

    Raises:
        Damaged: If the pickle names anything else, or is incomplete.
    """
    return _load(_Arrays(io.BytesIO(data)))


def read_torchscript(data: bytes) -> dict[str, Tensor]:
    """Read the tensors of a TorchScript file by dotted name, in the file's order.

    The code in the file isn't read.

    Raises:
        Damaged: If the file names anything but modules and float32 tensors, or is incomplete.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            top = archive.namelist()[0].partition("/")[0]
            storages = {
                name.rpartition("/")[2]: name
                for name in archive.namelist()
                if name.startswith(f"{top}/data/")
            }
            whole = _load(
                _Module(
                    io.BytesIO(archive.read(f"{top}/data.pkl")),
                    lambda key: archive.read(storages[key]),
                )
            )
    except (zipfile.BadZipFile, IndexError) as error:
        raise Damaged(f"is not a complete TorchScript file: {error}") from error
    if not isinstance(whole, _State):
        raise Damaged("is not a TorchScript module")
    return _flat(whole, "")


def _load(unpickler: pickle.Unpickler) -> Any:
    try:
        return unpickler.load()
    except Damaged:
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise Damaged(f"can't be read as a pickle: {type(error).__name__}: {error}") from error


class _Restricted(pickle.Unpickler):
    """An unpickler that accepts only the names in `allowed`: (module, name) to object."""

    allowed: Mapping[tuple[str, str], Any]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise Damaged(f"names {module}.{name}, which weights don't need: nothing was run")
        return self.allowed[module, name]


class _Arrays(_Restricted):
    allowed = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }


class _State:
    """The attribute values of a scripted module, without its code."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.values = state


class _Module(_Restricted):
    allowed = {  # noqa: RUF012
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): torch.float32,
        ("torch.jit._pickle", "build_intlist"): list,
    }

    def __init__(self, file: io.BytesIO, storage: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__."):
            return _State
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, _, _ = pid
        return torch.frombuffer(bytearray(self._storage(key)), dtype=dtype)


def _rebuilt(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Tensor:
    return storage.as_strided(size, stride, offset)


def _flat(module: _State, before: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, value in module.values.items():
        if isinstance(value, Tensor):
            tensors[before + name] = value
        elif isinstance(value, _State):
            tensors |= _flat(value, f"{before}{name}.")
    return tensors
