"""The folder that runs as a Space."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="needs the extra demo")

from i2i.demo.space import write_space
from i2i.errors import I2IError
from i2i.model.model import Model


@pytest.fixture
def model(model_of: Callable[..., Model]) -> Model:
    made = model_of()
    made.path.write_bytes(b"weights")
    return made


def test_a_space_has_all_that_it_needs_and_can_be_written_again(
    model: Model, tmp_path: Path
) -> None:
    folder = tmp_path / "space"
    for _ in range(2):
        assert write_space(model, folder) == folder
        assert {path.name for path in folder.iterdir()} == {
            "app.py",
            "model.safetensors",
            "requirements.txt",
            "README.md",
        }
    assert (folder / "README.md").read_text().startswith("---\ntitle: tiny\nsdk: gradio\n")
    assert "drawn by <nobody>" in (folder / "README.md").read_text()
    assert (folder / "requirements.txt").read_text().startswith("i2i[demo]==")


def test_a_folder_of_something_else_is_left_alone(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("ten years of work")
    with pytest.raises(I2IError, match="isn't empty"):
        write_space(model, folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
