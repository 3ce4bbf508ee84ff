"""Several processes train what one would."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from i2i.model_file import read_model
from i2i.training.checkpoint import newest
from tests.conftest import ROOT

QUIET = {
    "generator": {
        "type": "unet",
        "depth": 3,
        "base_channels": 4,
        "norm": "instance",
        "dropout": 0.0,
    },
    "discriminator": {
        "type": "patch",
        "receptive_field": 16,
        "base_channels": 4,
        "norm": "instance",
    },
}


def torchrun(processes: int, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(processes), "-m", "i2i", "run", *arguments),
        ],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "I2I_CACHE_DIR": str(folder / "cache"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(("order", "parts"), [("after", 1), ("before", 1), ("after", 2)])
def test_two_processes_give_the_weights_of_one(
    tmp_path: Path, write_recipe: Callable[..., Path], order: str, parts: int
) -> None:
    recipe = write_recipe(
        **QUIET,
        method={"type": "pix2pix", "adversarial_gradient": order},
        train={"max_steps": 10, "batch_size": 4, "ema": 0.9},
        checkpoint={"every": 10},
    )
    for name, processes, accumulate in (("one", 1, 1), ("two", 2, parts)):
        extra = ("--set", f"train.accumulate={accumulate}")
        done = torchrun(processes, str(recipe), "--out", name, *extra, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    weights = []
    for name in ("one", "two"):
        found, _ = newest(tmp_path / name / "checkpoints")
        assert found is not None
        assert found.step == 10
        weights.append(read_model(found.path / "model.safetensors")[0])
    for name, tensor in weights[0].items():
        torch.testing.assert_close(tensor, weights[1][name], rtol=0, atol=1e-6)
    assert (tmp_path / "two/report.html").is_file()
    lines = (tmp_path / "two/metrics.jsonl").read_text().splitlines()
    assert len(lines) == len((tmp_path / "one/metrics.jsonl").read_text().splitlines())


def test_a_batch_that_processes_cannot_share_is_refused(
    tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    done = torchrun(2, str(write_recipe(train={"batch_size": 3})), folder=tmp_path)
    assert done.returncode != 0
    assert "train.batch_size: 3 can't be shared by 2 processes" in done.stderr
