"""Images of pairs that a split no longer has: neither kept nor measured."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from i2i.cli import program
from i2i.runs.run import run


@pytest.fixture
def trained_on_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_recipe: Callable[..., Path]
) -> Path:
    monkeypatch.chdir(tmp_path)
    for split, names in (("train", ["0", "1", "2"]), ("test", ["a", "b.c", "sub/d"])):
        for i, name in enumerate(names):
            file = tmp_path / "data" / split / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pair = np.random.default_rng(i).integers(0, 256, (32, 64, 3), dtype=np.uint8)
            Image.fromarray(pair).save(file)
    recipe = write_recipe(
        data={"type": "folders", "root": "data"}, validation={"every": 0}, train={"max_steps": 1}
    )
    run(recipe, quiet=True)
    return tmp_path / "runs" / "tiny"


def images(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.*"))


def test_outputs_and_samples_of_pairs_that_are_gone_are_removed(
    trained_on_files: Path, tmp_path: Path
) -> None:
    evaluation = trained_on_files / "evaluation"
    assert images(evaluation / "images") == ["a.png", "b.c.png", "sub/d.png"]
    (evaluation / "images" / "a.npy").write_bytes(b"of another number of channels")
    (evaluation / "images" / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere.png").write_bytes(b"linked to")
    (evaluation / "images" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "data/test/b.c.png").unlink()
    (tmp_path / "data/test/sub/d.png").rename(tmp_path / "data/test/e.png")
    called = CliRunner().invoke(program, ["eval", str(trained_on_files)], standalone_mode=False)
    assert called.exit_code == 0, called.exception
    assert images(evaluation / "images") == ["a.png", "e.png", "link.png", "notes.txt"]
    assert (tmp_path / "elsewhere.png").read_bytes() == b"linked to"
    for column in ("input", "output", "target"):
        assert images(evaluation / "samples" / column) == ["a.png", "e.png"]
