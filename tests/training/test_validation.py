"""Metrics that can't be measured: found before the first step, or at the cost of no step."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from i2i.errors import CheckpointError, DataError
from i2i.metrics.pixel import L1
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.recipe import Recipe
from i2i.runs.run import run
from i2i.training import checkpoint as checkpoints

Recipes = Callable[..., Recipe]


class Shy(L1):
    """Like l1, but refuses all that comes after the check before the first step."""

    shown = 0

    def update(self, *images: Tensor) -> None:
        Shy.shown += 1
        if Shy.shown > 1:
            raise DataError(["shy: too many eyes"])
        super().update(*images)


class Broken(L1):
    """A plugin's metric with a fault that shows at its second batch."""

    shown = 0

    def update(self, *images: Tensor) -> None:
        Broken.shown += 1
        if Broken.shown > 1:
            raise ZeroDivisionError
        super().update(*images)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("shy", Shy), ("broken", Broken)):
        monkeypatch.setattr(kind, "shown", 0)
        entry = Entry("metric", name, kind, "", "tests")
        monkeypatch.setitem(registry().entries["metric"], name, entry)


def steps(folder: Path) -> list[int]:
    return [int(path.name.partition("-")[2]) for path in sorted((folder / "checkpoints").iterdir())]


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("metric", ["ms_ssim", "few"])
def test_a_metric_that_refuses_the_images_is_told_before_the_first_step(
    tiny_recipe: Recipes, tmp_path: Path, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = type("Few", (L1,), {"needs": 5})
    monkeypatch.setitem(
        registry().entries["metric"], "few", Entry("metric", "few", few, "", "tests")
    )
    recipe = tiny_recipe(validation={"every": 3, "metrics": ["l1", metric]})
    with pytest.raises(DataError) as raised:
        run(recipe, out=tmp_path / "run", quiet=True)
    reason, remedy = raised.value.problems
    expected = {"ms_ssim": "can't be measured on 32x32", "few": "at least 5 pairs, there are 4"}
    assert reason.startswith("validation.metrics: ")
    assert expected[metric] in reason
    assert "validation.every = 0" in remedy
    assert not (tmp_path / "run").exists()


def test_a_metric_of_the_end_that_refuses_is_told_at_the_beginning(
    tiny_recipe: Recipes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = run(tiny_recipe(eval={"metrics": ["l1", "ms_ssim"]}), out=tmp_path / "run")
    said = capsys.readouterr().out.splitlines()
    told = next(i for i, line in enumerate(said) if line.startswith("ms_ssim will be unavailable"))
    assert told < next(i for i, line in enumerate(said) if line.startswith("step "))
    assert finished.status == 1
    assert finished.metrics is not None
    assert finished.metrics["ms_ssim"] is None


def test_a_metric_that_refuses_later_is_unavailable_and_the_training_goes_on(
    tiny_recipe: Recipes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tiny_recipe(validation={"every": 3, "metrics": ["shy", "l1"], "best": "shy"})
    finished = run(recipe, out=tmp_path / "run")
    assert finished.status == 0
    assert "step 3: shy is unavailable: shy: too many eyes" in capsys.readouterr().out
    measured = [line["validation"] for line in lines(tmp_path / "run") if "validation" in line]
    assert [list(values) for values in measured] == [["l1"], ["l1"]]
    newest, _ = checkpoints.newest(tmp_path / "run/checkpoints")
    assert newest is not None
    assert (newest.step, newest.best) == (6, None)
    assert (tmp_path / "run/report.html").is_file()


def test_a_fault_in_validation_costs_no_step(tiny_recipe: Recipes, tmp_path: Path) -> None:
    changes = {"checkpoint": {"every": 100}, "validation": {"every": 3, "metrics": ["broken"]}}
    changes["validation"]["best"] = "broken"
    with pytest.raises(ZeroDivisionError):
        run(tiny_recipe(**changes), out=tmp_path / "run", quiet=True)
    assert steps(tmp_path / "run") == [3]
    assert [line["step"] for line in lines(tmp_path / "run")] == [1, 2, 3]

    finished = run(tiny_recipe(checkpoint={"every": 100}), out=tmp_path / "run", resume=True)
    assert finished.status == 0
    assert [line["step"] for line in lines(tmp_path / "run") if "losses" in line] == [*range(1, 7)]


def test_validation_may_change_on_resume_and_another_criterion_begins_anew(
    tiny_recipe: Recipes, tmp_path: Path
) -> None:
    length = {"train": {"max_steps": 3}}
    run(tiny_recipe(**length), out=tmp_path / "run", quiet=True)
    newest, _ = checkpoints.newest(tmp_path / "run/checkpoints")
    assert newest is not None
    assert newest.best == 3
    # By l1 the best has a value near 0.2, which psnr's decibels never fall below.
    other = tiny_recipe(validation={"every": 6, "metrics": ["psnr"], "best": "psnr"})
    run(other, out=tmp_path / "run", resume=True, quiet=True)
    newest, _ = checkpoints.newest(tmp_path / "run/checkpoints")
    assert newest is not None
    assert newest.best == 6
    saved = checkpoints.load_training(newest)["best"]
    assert saved[1] == lines(tmp_path / "run")[-1]["validation"]["psnr"]


@pytest.mark.parametrize("key", ["epochs", "max_steps"])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_length_may_not_change_where_the_learning_rate_depends_on_it(
    tiny_recipe: Recipes, tmp_path: Path, key: str, schedule: str
) -> None:
    changes = {"schedule": {"type": schedule}}
    run(tiny_recipe(train={"max_steps": 2}, **changes), out=tmp_path / "run", quiet=True)
    longer = {"max_steps": 2, key: 4}
    with pytest.raises(CheckpointError) as raised:
        run(tiny_recipe(train=longer, **changes), out=tmp_path / "run", resume=True, quiet=True)
    for words in (f"train.{key} was", "and is 4", f"{schedule} schedule's learning rates", "--out"):
        assert words in str(raised.value)
    assert steps(tmp_path / "run") == [2]
