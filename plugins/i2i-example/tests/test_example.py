"""The plugin from a user's view: installation, registration, training."""

import json
from pathlib import Path

import pytest
import torch
from i2i_example.charbonnier import Charbonnier

import i2i
from i2i.plugins.manager import registry
from i2i.testing import check_generator, check_loss

RECIPE = """
name = "example"
[data]
type = "synthetic"
train = 8
val = 2
test = 2
[augment]
crop_size = 32
[generator]
type = "tiny"
width = 8
[[losses]]
type = "charbonnier"
epsilon = 0.01
[train]
max_steps = 3
batch_size = 2
device = "cpu"
[eval]
metrics = ["l1"]
"""


def test_it_registers_a_generator_and_a_loss() -> None:
    assert registry().get("generator", "tiny").plugin == "i2i-example"
    assert registry().get("loss", "charbonnier").plugin == "i2i-example"


def test_a_recipe_trains_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "cache"))
    recipe = tmp_path / "example.toml"
    recipe.write_text(RECIPE)
    finished = i2i.run(recipe, out=tmp_path / "run", quiet=True)
    assert finished.status == 0
    line = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[0])
    assert set(line["losses"]) == {"charbonnier"}
    assert finished.metrics is not None
    assert 0 < finished.metrics["l1"] < 1


def test_the_loss_is_epsilon_for_equal_images_and_nearly_l1_for_others() -> None:
    image = torch.rand(2, 3, 4, 4)
    loss = Charbonnier(epsilon=1e-3)
    assert loss(image, image).item() == pytest.approx(1e-3)
    assert loss(image, image + 1).item() == pytest.approx(1.0, rel=1e-5)


def test_the_components_keep_their_contracts() -> None:
    check_generator("tiny", width=4)
    check_loss("charbonnier", epsilon=0.01)
