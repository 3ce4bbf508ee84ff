"""From the files that carry weights to tensors, without running what they hold."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from i2i.system.hashing import tensors_sha256
from i2i.weights import catalogue
from i2i.weights.convert import from_canonical, from_member
from i2i.weights.pickles import read_arrays, read_torchscript
from i2i.weights.tensors import Damaged


def saved(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


class Payload:
    """A pickle that writes a file when it is read by anything that runs it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.path), "w"))


EXTRA: dict[str, dict[str, Tensor]] = {
    "inception": {
        "fc.weight": torch.zeros(1008, 2048),
        "fc.bias": torch.zeros(1008),
        "Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(0),
    },
    "alexnet": {
        "classifier.1.weight": torch.zeros(4096, 9216),
        "classifier.1.bias": torch.zeros(9),
    },
    "vgg16": {"classifier.0.weight": torch.zeros(8, 8), "classifier.0.bias": torch.zeros(8)},
}


@pytest.mark.parametrize("name", EXTRA)
def test_a_canonical_file_gives_the_pinned_tensors_without_its_classifier(
    weights: Path, name: str
) -> None:
    state = load_file(weights / f"{name}.safetensors") | EXTRA[name]
    assert tensors_sha256(from_canonical(name, saved(state))) == catalogue()[name].sha256


def test_a_canonical_file_with_code_in_it_is_refused_and_never_run(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="plain tensors"):
        from_canonical("alexnet", saved({"features.0.weight": Payload(tmp_path / "run")}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("data", [b"", b"<html>", saved([1, 2]), saved({"a": 1})])
def test_a_file_that_is_none_is_damaged(data: bytes) -> None:
    for name in ("alexnet", "efficientnet_lite0"):
        with pytest.raises(Damaged):
            from_canonical(name, data)
    for name in ("alexnet", "inception"):
        with pytest.raises(Damaged):
            from_member(name, data)


def test_a_malicious_pickle_never_runs_its_payload(tmp_path: Path) -> None:
    data = pickle.dumps({"AlexNet_0": Payload(tmp_path / "run")})
    with pytest.raises(Damaged, match=r"names (_?io|builtins)\.open, .* nothing was run"):
        from_member("alexnet", data)
    assert not (tmp_path / "run").exists()


def test_kernels_are_turned_from_height_width_in_out() -> None:
    kernel = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    layer = {"kernel": kernel, "bias": np.zeros(5, np.float32)}
    data = pickle.dumps({"AlexNet_0": {f"Conv_{i}": layer for i in range(5)}})
    tensors = from_member("alexnet", data)
    assert sorted({int(name.split(".")[1]) for name in tensors}) == [0, 3, 6, 8, 10]
    assert tensors["features.3.weight"].shape == (5, 4, 2, 3)
    assert tensors["features.3.weight"][4, 3, 1, 2] == kernel[1, 2, 3, 4]


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_arrays_are_read_under_both_of_numpys_names(module: str) -> None:
    data = pickle.dumps({"a": np.arange(3.0)}, protocol=3)
    for name in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        data = data.replace(name, module.encode())
    assert read_arrays(data)["a"].tolist() == [0, 1, 2]


class Inner(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(2, 3, 1)
        self.register_buffer("mean", torch.rand(4, 5).T)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.convolution(images)
        return out


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_torchscript_file_gives_its_tensors_by_name() -> None:
    module = torch.nn.Sequential(Inner(), Inner())
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(module.eval()[0], torch.rand(1, 2, 4, 4)), file)
    tensors = read_torchscript(file.getvalue())
    expected = module[0].state_dict()
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_the_hash_depends_on_names_dtypes_shapes_and_values_but_not_on_order() -> None:
    one = {"a": torch.zeros(2, 3), "b": torch.tensor(1)}
    assert tensors_sha256(one) == tensors_sha256(dict(reversed(one.items())))
    others = [
        {"a": torch.zeros(3, 2), "b": torch.tensor(1)},
        {"a": torch.zeros(2, 3), "c": torch.tensor(1)},
        {"a": torch.zeros(2, 3), "b": torch.tensor(1.0)},
        {"a": torch.zeros(2, 3), "b": torch.tensor(2)},
    ]
    assert len({tensors_sha256(each) for each in (one, *others)}) == 5
