"""A run takes another's place only when it has saved something; other people's files stay."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.recipe import Recipe
from i2i.run_folder import RunFolder
from i2i.runs.holding import holding
from i2i.runs.run import run
from i2i.training.checkpoint import saved
from tests.conftest import picture

Recipes = Callable[..., Recipe]


def content(folder: Path) -> dict[str, str]:
    """SHA-256 of every file and the target of every link, by path."""
    return {
        str(path.relative_to(folder)): (
            str(path.readlink())
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def earlier(trained: Path, tmp_path: Path) -> Path:
    """A copy of a run that has ended."""
    return Path(shutil.copytree(trained, tmp_path / "earlier"))


def write(path: Path, text: str = "mine") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}], ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "recipe.toml",
        "report.html",
        "metrics.jsonl/x",
        "tensorboard/notes",
        "checkpoints/step-1.txt",
    ],
)
def test_a_folder_that_is_no_run_stays_as_it_is(
    tiny_recipe: Recipes, tmp_path: Path, how: dict[str, Any], name: str
) -> None:
    write(tmp_path / "project" / name)
    write(tmp_path / "project/paper.tex")
    before = content(tmp_path / "project")
    with pytest.raises(I2IError, match=name.partition("/")[0]):
        run(tiny_recipe(), out=tmp_path / "project", quiet=True, **how)
    assert content(tmp_path / "project") == before


def test_a_run_beside_other_files_leaves_them(tiny_recipe: Recipes, tmp_path: Path) -> None:
    write(tmp_path / "project/paper.tex")
    run(tiny_recipe(), out=tmp_path / "project", quiet=True)
    assert (tmp_path / "project/paper.tex").read_text() == "mine"
    assert (tmp_path / "project/report.html").is_file()


@pytest.mark.parametrize("out", ["file", "file/run"])
def test_an_output_folder_that_is_a_file_is_told(
    tiny_recipe: Recipes, tmp_path: Path, out: str
) -> None:
    write(tmp_path / "file")
    with pytest.raises(I2IError, match="file is a file, not a folder"):
        run(tiny_recipe(), out=tmp_path / out, quiet=True)


def _damaged_data(tmp_path: Path) -> dict[str, Any]:
    for split in ("train", "val", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(picture(i, (36, 72))).save(tmp_path / "data" / split / f"{i}.png")
    cut = tmp_path / "data/train/2.png"
    cut.write_bytes(cut.read_bytes()[:500])
    return {"data": {"type": "folders", "root": str(tmp_path / "data")}}


UNKNOWN = "seg_score:segmenter=unknown"

FAILING: dict[str, Callable[[Path], dict[str, Any]]] = {
    "an image is damaged": _damaged_data,
    "a metric's weights are missing": lambda _: {
        "validation": {
            "every": 3,
            "metrics": ["seg_score:segmenter=none"],
            "best": "seg_score:segmenter=none",
        }
    },
    "an extra is missing": lambda _: {"log": {"tensorboard": True}},
    "too few pairs": lambda _: {"train": {"batch_size": 64}},
    "the training diverges": lambda _: {"losses": [{"type": "l2", "weight": 1e38}]},
}


@pytest.mark.parametrize("why", FAILING)
def test_what_can_not_begin_replaces_nothing(
    tiny_recipe: Recipes,
    earlier: Path,
    tmp_path: Path,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    write(earlier / "evaluation/mine.csv")
    before = content(earlier)
    with pytest.raises(I2IError):
        run(tiny_recipe(**FAILING[why](tmp_path)), out=earlier, overwrite=True, quiet=True)
    assert content(earlier) == before


def test_a_new_run_replaces_the_files_of_the_earlier_one_and_no_others(
    tiny_recipe: Recipes, earlier: Path
) -> None:
    shutil.copytree(
        earlier / "checkpoints/step-00000006", earlier / "checkpoints/step-00000006.bak"
    )
    mine = ["evaluation/mine.csv", "samples/best/a.png", "notes.txt", "tensorboard/mine"]
    for name in mine:
        write(earlier / name)
    with pytest.raises(I2IError, match="--overwrite"):
        run(tiny_recipe(seed=5), out=earlier, quiet=True)
    run(tiny_recipe(seed=5, train={"max_steps": 2}), out=earlier, overwrite=True, quiet=True)
    assert [path.name for path in saved(earlier / "checkpoints")] == ["step-00000002"]
    assert (earlier / "checkpoints/step-00000006.bak/manifest.json").is_file()
    assert all((earlier / name).read_text() == "mine" for name in mine)
    assert not (earlier / "samples/step-00000006").exists()
    assert "seed = 5" in (earlier / "recipe.toml").read_text()
    assert not [path.name for path in earlier.iterdir() if path.name.startswith(".")]


def test_a_link_in_the_place_of_a_folder_is_not_followed(
    tiny_recipe: Recipes, earlier: Path, tmp_path: Path
) -> None:
    (earlier / "checkpoints").rename(tmp_path / "elsewhere")
    (earlier / "checkpoints").symlink_to(tmp_path / "elsewhere")
    before = content(tmp_path / "elsewhere")
    with pytest.raises(I2IError, match="is a link"):
        run(tiny_recipe(), out=earlier, overwrite=True, quiet=True)
    assert content(tmp_path / "elsewhere") == before


KILLED = """
import os, signal, sys
from pathlib import Path
from i2i.run_folder import RunFolder
from i2i.runs.earlier import set_aside
count, left, rename = int(sys.argv[2]), [0], Path.rename
def counted(self, target):
    left[0] += 1
    if left[0] == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = counted
folder = RunFolder(Path(sys.argv[1]))
try:
    with set_aside(folder):
        folder.recipe.write_text("new")
        (folder.samples / "step-00000001").mkdir(parents=True)
        (folder.samples / "step-00000001/0.png").write_text("new")
        raise ValueError
except ValueError:
    pass
print(left[0])
"""


def killed_at(rename: int, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", KILLED, str(folder), str(rename)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_at_any_moment_before_the_first_checkpoint_leaves_the_earlier_run(
    tmp_path: Path, every: int
) -> None:
    names = ["recipe.toml", "metrics.jsonl", "checkpoints/step-00000006/manifest.json"]
    for name in [*names, "samples/input/0.png", "evaluation/images/0.png", "evaluation/mine.csv"]:
        write(tmp_path / "whole" / name, name)
    before = content(tmp_path / "whole")
    renames = int(killed_at(0, shutil.copytree(tmp_path / "whole", tmp_path / "0")).stdout)
    assert content(tmp_path / "0") == before
    assert renames == 2 * len(before)  # all but the user's file there and back, and the folder
    for count in range(1, renames + 1, every):
        folder = shutil.copytree(tmp_path / "whole", tmp_path / str(count))
        assert killed_at(count, folder).returncode == -signal.SIGKILL
        with holding(RunFolder(folder)):
            assert {k: v for k, v in content(folder).items() if k != ".lock"} == before
        assert content(folder) == before


def test_a_run_killed_after_its_first_checkpoint_has_replaced_the_earlier_one(
    earlier: Path, trained: Path
) -> None:
    aside = earlier / ".earlier-run"
    shutil.copytree(trained / "samples", aside / "samples")
    write(aside / "recipe.toml", "old")
    before = content(trained)
    with holding(RunFolder(earlier)):
        assert not aside.exists()
    assert content(earlier) == before


def test_a_folder_that_a_refused_run_created_is_gone(tiny_recipe: Recipes, tmp_path: Path) -> None:
    with pytest.raises(I2IError):
        run(tiny_recipe(train={"batch_size": 64}), out=tmp_path / "a/b/c", quiet=True)
    assert not (tmp_path / "a").exists()
