"""Several processes train what one would."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.model.file import read_model
from i2i.recipe import load_recipe
from i2i.runs.run import run
from i2i.training import engine
from i2i.training.checkpoint import newest
from tests.conftest import ROOT
from tests.processes import Run

Start = Callable[..., Run]

STILL = {"norm": "instance", "base_channels": 4}
QUIET = {
    "generator": {"type": "unet", "depth": 3, "dropout": 0.0, **STILL},
    "discriminator": {"type": "patch", "receptive_field": 16, **STILL},
}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return str(found.getsockname()[1])


@pytest.fixture
def in_two(i2i: Start) -> Callable[..., list[Run]]:
    """Start the program as two ranks, with the variables that torchrun would set."""

    def program(*arguments: object) -> list[Run]:
        meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
        return [i2i(*arguments, RANK=rank, LOCAL_RANK=rank, **meeting) for rank in "01"]

    return program


def torchrun(*program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    return subprocess.run(
        [*launcher, "--nproc-per-node", "2", *program],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "I2I_CACHE_DIR": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def recipe(write_recipe: Callable[..., Path]) -> Callable[..., Path]:
    def write(order: str = "after", **train: Any) -> Path:
        return write_recipe(
            **QUIET,
            method={"type": "pix2pix", "adversarial_gradient": order},
            train={"max_steps": 10, "batch_size": 4, "ema": 0.9, **train},
            checkpoint={"every": 10},
        )

    return write


def assert_same_training(one: Path, two: Path) -> None:
    weights = []
    for folder in (one, two):
        found, _ = newest(folder / "checkpoints")
        assert found is not None
        assert found.step == 10
        weights.append(read_model(found.path / "model.safetensors")[0])
    for name, tensor in weights[0].items():
        torch.testing.assert_close(tensor, weights[1][name], rtol=0, atol=1e-6)
    assert (two / "report.html").is_file()
    logs = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (one, two)]
    assert len(logs[0]) == len(logs[1])


@pytest.mark.parametrize(("order", "parts"), [("after", 1), ("before", 1), ("after", 2)])
def test_two_processes_give_the_weights_of_one(
    in_two: Callable[..., list[Run]],
    recipe: Callable[..., Path],
    tmp_path: Path,
    order: str,
    parts: int,
) -> None:
    path = recipe(order)
    run(load_recipe(path), out=tmp_path / "one", quiet=True)
    ranks = in_two("run", path, "--out", "two", "--set", f"train.accumulate={parts}")
    assert [rank.status for rank in ranks] == [0, 0], ranks[0].output + ranks[1].output
    assert_same_training(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["after", "before"])
def test_two_processes_share_scales_and_features(
    in_two: Callable[..., list[Run]], recipe: Callable[..., Path], tmp_path: Path, order: str
) -> None:
    path = recipe(order)
    features = (
        'discriminator={type = "multiscale", receptive_field = 34, base_channels = 4}',
        'losses=[{type = "cgan"}, {type = "feature_matching", weight = 40}]',
    )
    run(load_recipe(path, features), out=tmp_path / "one", quiet=True)
    ranks = in_two("run", path, "--out", "two", "--set", features[0], "--set", features[1])
    assert [rank.status for rank in ranks] == [0, 0], ranks[0].output + ranks[1].output
    assert_same_training(tmp_path / "one", tmp_path / "two")


def test_a_batch_that_processes_cannot_share_is_refused(
    in_two: Callable[..., list[Run]], recipe: Callable[..., Path]
) -> None:
    for rank in in_two("run", recipe(batch_size=3)):
        assert rank.status == 2
        assert "train.batch_size: 3 can't be shared by 2 processes" in rank.errors


@pytest.mark.slow
def test_torchrun_starts_a_training_that_gives_the_weights_of_one(
    recipe: Callable[..., Path], tmp_path: Path
) -> None:
    path = recipe()
    run(load_recipe(path), out=tmp_path / "one", quiet=True)
    done = torchrun("-m", "i2i", "run", str(path), "--out", "two", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same_training(tmp_path / "one", tmp_path / "two")


WAITING = """
import sys, time
from datetime import timedelta
from i2i.training import engine
engine.PATIENCE = timedelta(seconds=float(sys.argv[1]))
with engine.Engine("cpu") as started:
    if started.leads:
        time.sleep(5)
    started.barrier()
"""


@pytest.mark.slow
def test_ranks_wait_for_a_busy_one_as_long_as_the_engine_says(tmp_path: Path) -> None:
    assert timedelta(days=1) <= engine.PATIENCE
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    for seconds, patient in (("60", True), ("1", False)):
        done = torchrun(str(script), seconds, folder=tmp_path)
        assert (done.returncode == 0) == patient, done.stderr
        assert ("imed out" in done.stderr) != patient
