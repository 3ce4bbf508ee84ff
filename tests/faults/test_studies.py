"""A study that is killed goes on to the same tables."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.studies.conftest import write_into


def begin(path: Path, out: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "i2i", "study", str(path), "--out", out, "--jobs", "2"]
    with (path.parent / "output").open("ab") as output:
        return subprocess.Popen(
            command, cwd=path.parent, stdout=output, stderr=output, start_new_session=True
        )


def tables(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "study.json").read_text())
    found.pop("ran")
    return found


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("I2I_KILLS", "3")) // 3))
def test_a_study_killed_at_any_moment_goes_on_to_the_same_tables(tmp_path: Path, seed: int) -> None:
    path = write_into(
        tmp_path,
        set={
            "eval": {"bootstrap": 20},
            "train": {"max_steps": 100},
            "checkpoint": {"every": 20},
            "validation": {"every": 50, "metrics": ["l1"]},
        },
    )
    began = time.monotonic()
    assert begin(path, "whole").wait(300) == 0, (tmp_path / "output").read_text()
    duration = time.monotonic() - began
    moment = random.Random(seed)
    for kill in (os.kill, os.killpg):
        study = begin(path, "cut")
        time.sleep(moment.uniform(0.4, 0.9) * duration)
        kill(study.pid, signal.SIGKILL)
        study.wait()
    deadline = time.monotonic() + 60
    while alive(study.pid):
        assert time.monotonic() < deadline, "runs go on without their study"
        time.sleep(0.1)
    assert begin(path, "cut").wait(300) == 0, (tmp_path / "output").read_text()
    assert tables(tmp_path / "cut") == tables(tmp_path / "whole")
