"""What may change when a run is resumed, and what is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from i2i.errors import CheckpointError
from i2i.recipe import Recipe, load_run_recipe
from i2i.runs.run import run
from tests.processes import Run

Recipes = Callable[..., Recipe]
Start = Callable[..., Run]


def test_a_folder_without_a_run_is_told(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    begun = i2i("run", write_recipe(), "--out", "mistyped", "--resume")
    assert begun.status == 0, begun.output
    assert "mistyped has no checkpoint: nothing to resume" in begun.output


def test_another_learning_rate_and_clipping_are_taken_said_and_recorded(
    i2i: Start, tmp_path: Path, trained: Path, write_recipe: Callable[..., Path]
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    options = ("--set", "optimizer.lr=0.001", "--set", "optimizer.clip_norm=2.0")
    recipe = write_recipe()
    resumed = i2i("run", recipe, "--out", "r", "--resume", "--max-steps", 8, *options)
    assert resumed.status == 0, resumed.output
    assert "optimizer.lr was 0.0002 and is 0.001 from step 7 on" in resumed.output
    assert "optimizer.clip_norm was None and is 2.0 from step 7 on" in resumed.output
    recorded = json.loads((tmp_path / "r/environment.json").read_text())["changes"]
    change = {"step": 6, "optimizer.lr": [0.0002, 0.001], "optimizer.clip_norm": [None, 2.0]}
    assert recorded == [change]
    lines = map(json.loads, (tmp_path / "r/metrics.jsonl").read_text().splitlines())
    assert [line["lr"] for line in lines if "lr" in line] == [0.0002] * 6 + [0.001] * 2
    assert load_run_recipe(tmp_path / "r/recipe.toml").optimizer.lr == 0.001
    again = i2i("run", recipe, "--out", "r", "--resume", "--max-steps", 9, *options)
    assert again.status == 0, again.output
    assert " was " not in again.output
    assert json.loads((tmp_path / "r/environment.json").read_text())["changes"] == recorded


@pytest.mark.parametrize(
    "sections",
    [{"seed": 1}, {"optimizer": {"betas": [0.9, 0.99]}}, {"augment": {"flip": False}}],
    ids=str,
)
def test_what_changes_the_training_otherwise_is_refused(
    tiny_recipe: Recipes, tmp_path: Path, trained: Path, sections: dict[str, object]
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    with pytest.raises(CheckpointError, match="another recipe"):
        run(tiny_recipe(**sections), out=tmp_path / "r", resume=True, quiet=True)


def test_the_advice_after_a_divergence_can_be_taken(
    i2i: Start, tmp_path: Path, trained: Path, write_recipe: Callable[..., Path]
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    command = ("run", write_recipe(), "--out", "r", "--resume", "--max-steps", 12)
    diverged = i2i(*command, "--set", "optimizer.lr=1e30", "--set", "checkpoint.every=100")
    assert diverged.status == 1, diverged.output
    assert "checkpoint of step 6 is kept" in diverged.errors
    advice = ("--set", "optimizer.lr=1e-5", "--set", "optimizer.clip_norm=1.0")
    resumed = i2i(*command, *advice)
    assert resumed.status == 0, resumed.output
