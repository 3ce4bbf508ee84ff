"""Model files of strangers: whatever their metadata says is refused before memory is allocated."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from safetensors.torch import save_file

from i2i.cli import program
from i2i.errors import CheckpointError, I2IError
from i2i.model.file import FORMAT, _sha256, read_model
from i2i.runs.loading import load
from i2i.segmentation.network import Segmenter, load_segmenter, save_segmenter
from i2i.segmentation.network import _digest as segmenter_digest
from i2i.segmentation.palette import Labels
from i2i.system.tensor_file import read_tensors

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def crafted(trained: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the trained model again, with other metadata under a right SHA-256."""
    (source, *_) = sorted(trained.glob("checkpoints/step-*/model.safetensors"), reverse=True)
    tensors, metadata = read_model(source)

    def craft(
        recipe: Change | str = lambda _: None, data: Change | str = lambda _: None, step: str = "6"
    ) -> Path:
        described = {"step": step, "recipe": recipe, "data": data}
        if not isinstance(recipe, str):
            document = tomllib.loads(metadata["recipe"])
            recipe(document)
            described["recipe"] = tomli_w.dumps(document)
        if not isinstance(data, str):
            facts = json.loads(metadata["data"])
            data(facts)
            described["data"] = json.dumps(facts)
        path = tmp_path / "crafted.safetensors"
        header = {"format": FORMAT, "i2i": "0.1.0", **described}
        save_file(tensors, path, {**header, "sha256": _sha256(tensors, described)})  # type: ignore[arg-type]
        return path

    return craft


def refusal(path: Path) -> str:
    with pytest.raises(I2IError) as caught:
        load(path, device="cpu")
    (line,) = str(caught.value).splitlines()
    assert str(path) in line or line.startswith("generator ")
    assert len(line) < 2500
    return line


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("generator", {"base_channels": 100_000}, "weights of another architecture"),
        ("generator", {"base_channels": 10**12}, "its generator can't be built"),
        ("generator", {"base_channels": 2**62}, "its generator can't be built"),
        ("generator", {"type": "encoder_decoder", "base_channels": 10**6}, "another architecture"),
        ("generator", {"depth": 5}, "another architecture"),
        ("generator", {"base_channels": -3}, "generator 'unet'"),
        ("generator", {"type": "nothing"}, "unknown generator"),
        ("augment", {"crop_size": 2**20, "load_size": 2**20}, "too large to be true"),
        ("augment", {"crop_size": [8]}, "augment.crop_size"),
        ("losses", 3, "losses"),
        ("seed", -1, "seed"),
    ],
)
def test_a_recipe_that_asks_for_too_much_or_for_nonsense_is_a_line(
    crafted: Callable[..., Path], section: str, changes: Any, words: str
) -> None:
    def change(recipe: dict[str, Any]) -> None:
        if isinstance(changes, dict):
            recipe[section].update(changes)
        else:
            recipe[section] = changes

    with pytest.raises(I2IError, match=words):
        load(crafted(recipe=change), device="cpu")


@pytest.mark.parametrize(
    "text",
    ["", "x", "a = " + "[" * 9000, "[" + ".".join("a" * 999) + "]", "seed = " + "8" * 4999, "\x00"],
)
def test_a_recipe_that_can_t_be_read_is_a_line(crafted: Callable[..., Path], text: str) -> None:
    with pytest.raises(I2IError) as caught:
        load(crafted(recipe=text), device="cpu")
    assert all("its recipe" in line for line in str(caught.value).splitlines())


@pytest.mark.parametrize("step", ["", "nan", "-1", "1e3", "9" * 5000, "٣", " 6"])
def test_a_step_that_is_no_number_of_steps_is_a_line(
    crafted: Callable[..., Path], step: str
) -> None:
    assert "training steps" in refusal(crafted(step=step))


@pytest.mark.parametrize(
    ("side", "changes"),
    [
        ("input", {"channels": 10**8}),
        ("input", {"channels": 0}),
        ("target", {"channels": -7}),
        ("target", {"channels": 2**70}),
        ("target", {"channels": "three"}),
        ("input", {"mode": "cmyk"}),
        ("input", {"classes": 10**9, "mode": "labels"}),
        ("target", {"depth": 12}),
    ],
)
def test_data_that_is_nonsense_is_a_line(
    crafted: Callable[..., Path], side: str, changes: dict[str, Any]
) -> None:
    refusal(crafted(data=lambda facts: facts[side].update(changes)))


@pytest.mark.parametrize("text", ["", "[" * 5000, "null", "3", '{"input": 1}', "9" * 5000])
def test_data_that_can_t_be_read_is_a_line(crafted: Callable[..., Path], text: str) -> None:
    assert "the description of its data is invalid" in refusal(crafted(data=text))


def test_the_unchanged_file_still_loads(crafted: Callable[..., Path]) -> None:
    assert load(crafted(), device="cpu").step == 6


def test_eval_of_a_run_whose_recipe_asks_for_another_network_allocates_nothing(
    trained: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    recipe = tomllib.loads((run / "recipe.toml").read_text())
    recipe["generator"]["base_channels"] = 10**6
    (run / "recipe.toml").write_text(tomli_w.dumps(recipe))
    called = CliRunner().invoke(program, ["eval", str(run)])
    assert isinstance(called.exception, CheckpointError)
    assert "another architecture" in str(called.exception)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_channels": 10**6},
        {"base_channels": 10**12},
        {"base_channels": None},
        {"channels": 10**9},
        {"classes": "many"},
        {"classes": None},
        {"encoder": "resnet18"},
        {"palette": [[1]]},
        {"size": [0, -1]},
        {"size": 3},
        {"notes": 5},
    ],
)
def test_a_segmenter_that_asks_for_another_network_is_a_line(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    labels = Labels(("a", "b"), ((0, 0, 0), (255, 255, 255)))
    segmenter = Segmenter(labels, (32, 32), encoder="mobilenetv3_small_050", base_channels=4)
    path = tmp_path / "s.safetensors"
    save_segmenter(segmenter, path)
    tensors, metadata = read_tensors(path)
    text = json.dumps({**json.loads(metadata["segmenter"]), **changes})
    save_file(
        tensors, path, {**metadata, "segmenter": text, "sha256": segmenter_digest(text, tensors)}
    )
    with pytest.raises(CheckpointError) as caught:
        load_segmenter(path)
    assert len(str(caught.value).splitlines()) == 1
