"""Whole trainings: stopped and resumed, in parts, and in two processes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from safetensors.torch import load_file
from torch import Tensor

import i2i
from i2i.recipe import load_recipe

Document = Callable[..., dict[str, Any]]
Check = Callable[[Path, Path], None]


@pytest.fixture
def written(tiny: Document, tmp_path: Path) -> Callable[..., Path]:
    def write(**sections: Any) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(tomli_w.dumps(tiny(**sections)))
        return path

    return write


def train(recipe: Path, out: Path, *overrides: str, resume: bool = False) -> None:
    i2i.run(load_recipe(recipe, overrides), out=out, quiet=True, resume=resume)


def weights(run: Path) -> dict[str, Tensor]:
    """All weights of the newest checkpoint."""
    folder = max((run / "checkpoints").glob("*"), key=lambda found: found.name)
    model = load_file(folder / "model.safetensors")
    found = {f"generator.{name}": tensor for name, tensor in model.items()}
    training = torch.load(folder / "training.pt")
    for name, state in training["networks"].items():
        found |= {f"{name}.{key}": tensor for key, tensor in state.items()}
    return found


def losses(run: Path) -> list[dict[str, float]]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [line["losses"] for line in map(json.loads, lines) if "losses" in line]


def test_a_resumed_training_equals_one_that_was_not_stopped(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    path = written(method={"flip_equivariance": True}, schedule={"type": "constant"})
    train(path, tmp_path / "whole")
    train(path, tmp_path / "stopped", "train.max_steps=2")
    train(path, tmp_path / "stopped", resume=True)
    whole, stopped = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert whole.keys() == stopped.keys()
    assert {name.partition(".")[0] for name in whole} == {"generator", "features", "discriminator"}
    for name, tensor in whole.items():
        assert torch.equal(tensor, stopped[name]), name
    assert losses(tmp_path / "whole") == losses(tmp_path / "stopped")


@pytest.fixture
def assert_same_weights(has_effect: Callable[[str], bool]) -> Callable[[Path, Path], None]:
    def check(one: Path, two: Path) -> None:
        first, second = weights(one), weights(two)
        assert first.keys() == second.keys()
        for name in filter(has_effect, first):
            torch.testing.assert_close(first[name], second[name], rtol=0, atol=1e-6)

    return check


@pytest.mark.parametrize("parts", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_two_processes_give_the_weights_of_one(
    written: Callable[..., Path], tmp_path: Path, assert_same_weights: Check, parts: int
) -> None:
    path = written(
        method={"flip_equivariance": True},
        train={"batch_size": 4, "accumulate": parts, "max_steps": 2},
    )
    train(path, tmp_path / "one", "train.accumulate=1")
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = str(found.getsockname()[1])
    meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "i2i", "run", str(path), "--out", "two"],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", **meeting, "RANK": r, "LOCAL_RANK": r},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for r in "01"
    ]
    outputs = [rank.communicate(timeout=120)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], outputs
    assert_same_weights(tmp_path / "one", tmp_path / "two")
