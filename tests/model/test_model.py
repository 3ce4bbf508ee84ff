"""A model from a run, a checkpoint or a lone file, and images of every kind through it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

import i2i
from i2i.errors import CheckpointError, DataError, I2IError
from i2i.images import read
from i2i.images.tensors import mirrored
from i2i.model.model import Model
from i2i.recipe import parse_recipe
from i2i.recipe.assemble import assemble_generator
from tests.conftest import picture, tiny


@pytest.fixture(scope="module")
def model(trained: Path) -> Model:
    return i2i.load(trained, device="cpu")


@pytest.fixture
def lone(trained: Path, tmp_path: Path) -> Path:
    newest = sorted(trained.glob("checkpoints/step-*"))[-1]
    return Path(shutil.copy(newest / "model.safetensors", tmp_path / "mine.safetensors"))


def inputs(model: Model) -> dict[str, np.ndarray]:
    from i2i.datasets.synthetic import Synthetic

    pairs = Synthetic(train=12, val=4, test=4).pairs("test")
    return {pair.name: pair.load((32, 32))[0] for pair in pairs}


def test_a_run_a_checkpoint_and_a_lone_file_are_the_same_model(
    trained: Path, lone: Path, model: Model
) -> None:
    image = picture(0)
    for path in (sorted(trained.glob("checkpoints/step-*"))[-1], lone, str(lone)):
        other = i2i.load(path, device="cpu")
        assert other.sha256 == model.sha256
        assert other.step == 6
        np.testing.assert_array_equal(other(image), model(image))


def test_it_gives_what_the_run_s_evaluation_gave(trained: Path, model: Model) -> None:
    for name, image in inputs(model).items():
        np.testing.assert_array_equal(model(image), read(trained / f"evaluation/images/{name}.png"))
    together = model(list(inputs(model).values()))
    for output, name in zip(together, inputs(model), strict=True):
        np.testing.assert_array_equal(output, read(trained / f"evaluation/images/{name}.png"))


def test_a_lone_file_needs_neither_run_nor_data(tmp_path: Path) -> None:
    recipe = parse_recipe(tiny())
    data = tmp_path / "pairs"
    data.mkdir()
    for i in range(12):
        Image.fromarray(picture(i, (32, 64))).save(data / f"{i}.png")
    document = tiny(data={"type": "folders", "root": str(data)}, train={"batch_size": 1})
    document["train"]["max_steps"] = 1
    i2i.run(parse_recipe(document), out=tmp_path / "run", quiet=True)
    file = next(tmp_path.glob("run/checkpoints/*/model.safetensors")).rename(tmp_path / "m.st")
    shutil.rmtree(data)
    shutil.rmtree(tmp_path / "run")
    loaded = i2i.load(file, device="cpu")
    assert loaded.data.input_half == "left"
    assert loaded(picture(0, (30, 50))).shape == (30, 50, 3)
    assert loaded.recipe.generator == recipe.generator.model_copy(
        update=loaded.recipe.generator.options
    )


@given(height=st.integers(1, 70), width=st.integers(1, 70))
@settings(max_examples=15, deadline=None)
def test_any_size_is_translated(model: Model, height: int, width: int) -> None:
    output = model(picture(3, (height, width)))
    assert output.shape == (height, width, 3)
    assert output.dtype == np.uint8


@given(length=st.integers(1, 20), to=st.integers(1, 100))
@settings(deadline=None)
def test_filling_up_mirrors_as_numpy_does(length: int, to: int) -> None:
    values = torch.arange(length * 3.0).reshape(1, 1, length, 3)
    filled = mirrored(values, (to, 7))
    expected = np.pad(values[0, 0], ((0, max(0, to - length)), (0, 4)), mode="symmetric")
    np.testing.assert_array_equal(filled[0, 0], expected)


def test_every_kind_of_image_is_taken(model: Model, tmp_path: Path) -> None:
    image = picture(1, (32, 32))
    Image.fromarray(image).save(tmp_path / "a.png")
    expected = model(image)
    for given_ in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(image)):
        np.testing.assert_array_equal(model(given_), expected)
    assert isinstance(model([image, tmp_path / "a.png"]), list)
    gray = image[..., 0]
    np.testing.assert_array_equal(model(gray), model(np.stack([gray] * 3, axis=2)))
    clear = np.dstack([image, np.full((32, 32), 0, np.uint8)])
    np.testing.assert_array_equal(model(clear), model(np.full_like(image, 255)))
    palette = Image.fromarray(image).quantize(16)
    np.testing.assert_array_equal(model(palette), model(palette.convert("RGB")))
    batch = torch.from_numpy(np.stack([image] * 3)).permute(0, 3, 1, 2) / 127.5 - 1
    outputs = model(batch)
    assert outputs.shape == (3, 3, 32, 32)
    np.testing.assert_allclose((outputs[1].permute(1, 2, 0) + 1) * 127.5, expected, atol=0.51)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((8, 8, 5), np.uint8), "5 channels"),
        (np.zeros((8, 8, 3), np.float32), "float32"),
        (np.zeros((0, 8, 3), np.uint8), r"\(0, 8, 3\)"),
        (torch.zeros(1, 4, 32, 32), "4 channels, the model takes 3"),
        (torch.zeros(3, 32, 32), r"torch.float32 \(3, 32, 32\); give floats"),
        (torch.zeros(0, 3, 32, 32), "give floats"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "torch.uint8"),
        ("missing.png", "missing.png"),
        ("nothing", "nothing"),
    ],
)
def test_what_is_no_image_of_the_model_s_is_told(model: Model, image: object, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        model(image)


def test_draws_differ_and_repeat(model: Model) -> None:
    image = picture(2, (32, 32))
    first, second = model(image, sample=0), model(image, sample=1)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(model(image, sample=1), second)


def test_tiles_are_checked_and_rounded_to_the_stride(model: Model) -> None:
    assert model.size_divisor == 8
    assert model.tiles((100, 100), 20, 4).tile == (24, 24)
    assert len(model.tiles((100, 100), 0, 4)) == 1
    assert len(model.tiles((5000, 5000), None)) > 1
    assert len(model.tiles((2048, 2048), None)) == 1
    assert model.tiles((100, 100), 16).overlap == 8
    assert model.tiles((5000, 5000)).overlap == 64
    with pytest.raises(I2IError, match="can't overlap by 30"):
        model(picture(0), tile=32, overlap=30)
    with pytest.raises(I2IError, match="there is no sample -1"):
        model(picture(0), sample=-1)
    assert model(picture(0, (100, 90)), tile=32, overlap=8).shape == (100, 90, 3)


def test_one_flipped_bit_of_a_lone_file_is_refused(lone: Path) -> None:
    content = bytearray(lone.read_bytes())
    content[-5] ^= 1
    lone.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=r"mine\.safetensors: is damaged: its SHA-256"):
        i2i.load(lone)


@pytest.mark.parametrize("key", ["recipe", "data", "step"])
def test_what_is_said_of_the_weights_is_checked_too(lone: Path, key: str) -> None:
    with safe_open(lone, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    save_file(tensors, lone, metadata | {key: metadata[key].replace("6", "7")})
    with pytest.raises(CheckpointError, match="is damaged"):
        i2i.load(lone)
    del metadata[key]
    save_file(tensors, lone, metadata)
    with pytest.raises(CheckpointError, match=f"its metadata has no {key}"):
        i2i.load(lone)


def test_a_place_without_a_model_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone", tmp_path / "gone.safetensors"):
        with pytest.raises(CheckpointError, match="there is no model"):
            i2i.load(path)
    (tmp_path / "x.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="can't be read as safetensors"):
        i2i.load(tmp_path / "x.safetensors")


def test_a_damaged_newest_checkpoint_is_passed_over_and_said(trained: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    newest = sorted(run.glob("checkpoints/step-*"))[-1] / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    loaded = i2i.load(run)
    assert loaded.step == 4
    assert str(newest) in loaded.passed_over[0]


def test_networks_that_keep_numbers_outside_their_file_draw_them(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_table(*arguments: Any, **options: Any) -> torch.nn.Module:
        generator = assemble_generator(*arguments, **options)
        generator.register_buffer("table", torch.zeros(4).uniform_(1, 2), persistent=False)
        return generator

    monkeypatch.setattr("i2i.runs.loading.assemble_generator", with_table)
    table = i2i.load(trained).generator.get_buffer("table")
    assert ((table >= 1) & (table <= 2)).all()


def test_loading_a_unet_imports_no_library_that_only_training_needs(trained: Path) -> None:
    code = (
        "import sys, json, i2i; i2i.load(sys.argv[1], device='cpu');"
        "import i2i.translation.translate; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(trained)], capture_output=True, text=True, check=True
    )
    heavy = {
        "timm",
        "torchmetrics",
        "lpips",
        "torchvision",
        "matplotlib",
        "scipy",
        "sympy",
    }
    assert heavy.isdisjoint(json.loads(done.stdout))
