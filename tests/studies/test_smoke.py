"""The study that comes along for a first try, from a fresh clone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SMOKE = ROOT / "recipes" / "studies" / "smoke.toml"


@pytest.mark.slow
def test_the_smoke_study_runs_without_data_or_weights(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "i2i", "study", str(SMOKE), "--jobs", "2"],
        cwd=tmp_path,
        env={**os.environ, "I2I_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "L1+cGAN, seed 1: done" in done.stdout
    found = json.loads((tmp_path / "studies/smoke/study.json").read_text())
    assert list(found["variants"]) == ["L1", "L1+cGAN"]
    for metrics in found["variants"].values():
        for metric in ("l1", "psnr", "ssim", "lab_histogram"):
            assert metrics[metric]["spread"] is not None
            assert list(metrics[metric]["seeds"]) == ["0", "1"]
    assert {each["verdict"] for each in found["orderings"]} <= {
        "holds",
        "doesn't hold",
        "undecided",
    }
