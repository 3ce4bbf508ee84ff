"""Rows 9–11 of the faults: a run that is stopped or killed goes on as if nothing had happened."""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from i2i.model.file import read_model
from i2i.recipe import Recipe, load_recipe
from i2i.runs.run import run
from i2i.training.checkpoint import newest
from tests.processes import Run

Start = Callable[..., Run]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found, _ = newest(folder / "checkpoints")
    assert found is not None
    return read_model(found.path / "model.safetensors")[0]


def assert_equal(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
    states = [
        torch.load(newest(run / "checkpoints")[0].path / "training.pt", weights_only=True)
        for run in (one, other)
    ]
    for player, state in states[0]["optimizers"].items():
        for parameter, moments in state["state"].items():
            for name, moment in moments.items():
                assert torch.equal(
                    moment, states[1]["optimizers"][player]["state"][parameter][name]
                )


@pytest.fixture
def recipe(write_recipe: Callable[..., Path]) -> Path:
    return write_recipe(
        train={"max_steps": 40, "workers": 2, "ema": 0.9},
        checkpoint={"every": 3},
        validation={"every": 7},
        log={"samples_every": 10},
        schedule={"decay_from": 0.2, "type": "linear"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("I2I_KILLS", "3"))))
def test_a_run_killed_at_any_moment_goes_on_to_the_same_bits(
    i2i: Start, recipe: Path, tmp_path: Path, seed: int
) -> None:
    began = time.monotonic()
    assert i2i("run", recipe, "--out", "whole").status == 0
    duration = time.monotonic() - began
    moment = random.Random(seed)
    status = -signal.SIGKILL
    for _ in range(20):
        run = i2i("run", recipe, "--out", "cut", "--resume")
        run.process.join(moment.uniform(0.2, 1.0) * duration)
        if run.process.is_alive():
            run.signal(signal.SIGKILL)
        status = run.wait().status
        if status == 0:
            break
        assert status == -signal.SIGKILL, run.output
    else:
        assert i2i("run", recipe, "--out", "cut", "--resume").status == 0
    assert_equal(tmp_path / "whole", tmp_path / "cut")


def test_the_log_of_a_resumed_run_has_every_step_once(
    i2i: Start, recipe: Path, tmp_path: Path
) -> None:
    constant = ("--out", "run", "--set", "schedule.type=constant")
    assert i2i("run", recipe, *constant, "--set", "train.max_steps=10").status == 0
    assert i2i("run", recipe, *constant, "--resume").status == 0
    lines = (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    steps = [line["step"] for line in map(json.loads, lines) if "losses" in line]
    assert steps == list(range(1, 41))


def test_polite_signals_save_and_the_run_goes_on_to_the_same_bits(
    i2i: Start, recipe: Path, tmp_path: Path
) -> None:
    longer = ("--set", "train.max_steps=100")
    for step, number, status in ((5, signal.SIGTERM, 143), (20, signal.SIGINT, 130)):
        run = i2i("run", recipe, "--out", "cut", *longer, "--resume")
        wait_for_step(tmp_path / "cut", step)
        run.signal(number)
        assert run.status == status, run.output
        assert "stopped at step" in run.output
        assert newest(tmp_path / "cut/checkpoints")[0] is not None
    assert i2i("run", recipe, "--out", "cut", "--resume", *longer).status == 0
    assert i2i("run", recipe, "--out", "whole", *longer).status == 0
    assert_equal(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(
    ("precision", "channels_last"), [(32, False), (32, True), ("bf16-mixed", True)]
)
def test_a_run_in_parts_has_the_bits_of_one_run_in_any_precision_and_layout(
    tiny_recipe: Callable[..., Recipe], tmp_path: Path, precision: object, channels_last: bool
) -> None:
    how = {"precision": precision, "channels_last": channels_last, "ema": 0.9}
    for out, last in (("whole", 6), ("cut", 3), ("cut", 6)):
        recipe = tiny_recipe(train={**how, "max_steps": last})
        run(recipe, out=tmp_path / out, resume=last == 6, quiet=True)
    assert_equal(tmp_path / "whole", tmp_path / "cut")


def test_auto_precision_is_recorded_and_gone_on_with_on_another_machine(
    tiny_recipe: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for out, last in (("whole", 4), ("cut", 2), ("cut", 4)):
        fast = {"avx512_bf16": last == 2 or out == "whole"}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda fast=fast: fast, raising=False)
        recipe = tiny_recipe(train={"precision": "auto", "max_steps": last})
        run(recipe, out=tmp_path / out, resume=True, quiet=True)
        assert load_recipe(tmp_path / out / "recipe.toml").train.precision == "bf16-mixed"
        environment = json.loads((tmp_path / out / "environment.json").read_text())
        assert environment["precision"] == "bf16-mixed"
    assert_equal(tmp_path / "whole", tmp_path / "cut")


def test_a_second_interrupt_ends_at_once(i2i: Start, write_recipe: Callable[..., Path]) -> None:
    recipe = write_recipe(
        train={"max_steps": 100000, "batch_size": 12}, checkpoint={"every": 100000}
    )
    run = i2i("run", recipe, "--out", "run", "--set", "generator.base_channels=64")
    wait_for_step(run.folder / "run", 1)
    run.signal(signal.SIGINT)
    run.signal(signal.SIGINT)
    assert run.status == 130


def test_a_run_that_has_ended_is_not_trained_again(
    i2i: Start, recipe: Path, tmp_path: Path
) -> None:
    assert i2i("run", recipe, "--out", "run", "--set", "train.max_steps=4").status == 0
    before = weights(tmp_path / "run")
    again = i2i("run", recipe, "--out", "run", "--set", "train.max_steps=4", "--resume")
    assert again.status == 0
    assert all(torch.equal(before[name], new) for name, new in weights(tmp_path / "run").items())


def wait_for_step(folder: Path, step: int) -> None:
    log = folder / "metrics.jsonl"
    for _ in range(2000):
        if log.exists() and len(log.read_text().splitlines()) >= step:
            return
        time.sleep(0.02)
    raise AssertionError("the run never came that far")
