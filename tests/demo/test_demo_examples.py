"""Examples to begin with."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from i2i.demo.examples import examples
from i2i.demo.surface import Surface
from i2i.model.model import Model
from tests.demo.conftest import LABELS

Models = Callable[..., Model]


@pytest.fixture
def in_a_run(model_of: Models, tmp_path: Path) -> Models:
    """A model that lies among the checkpoints of a run."""

    def make(**sections: object) -> Model:
        model = model_of(LABELS, **sections)
        (tmp_path / "recipe.toml").write_text(model.recipe.to_toml())
        model.path = tmp_path / "checkpoints" / "step-00000007" / "model.safetensors"
        return model

    return make


def test_a_run_s_examples_are_of_its_test_split(in_a_run: Models) -> None:
    model = in_a_run()
    found = examples(model, Surface(model))
    assert len(found) == 4
    assert {example.canvas.shape for example in found} == {(512, 512, 3)}


def test_a_run_whose_data_is_gone_has_none(in_a_run: Models, tmp_path: Path) -> None:
    model = in_a_run(data={"type": "folders", "root": str(tmp_path / "gone")})
    assert examples(model, Surface(model)) == []


def test_a_lone_model_has_those_beside_it_that_can_be_read(
    model_of: Models, tmp_path: Path
) -> None:
    model = model_of()
    assert examples(model, Surface(model)) == []
    folder = tmp_path / "examples"
    folder.mkdir()
    for i in range(9):
        Image.new("RGB", (8, 8), (i, i, i)).save(folder / f"{i}.png")
    (folder / "0.png").write_bytes(b"damaged")
    (folder / "notes.txt").write_text("no image")
    found = examples(model, Surface(model))
    assert [example.name for example in found] == ["1", "2", "3", "4", "5", "6", "7"]
