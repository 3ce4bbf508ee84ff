"""Files of every kind with flipped, repeated, removed and cut bytes: read, or refused in a line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.images.guards import BoundedFile

pytest.importorskip("resource")  # which Windows lacks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("seed", "count"), [(7, 200), pytest.param(7, 2000, marks=pytest.mark.slow)]
)
def test_a_damaged_file_is_read_or_refused_in_a_line_and_asks_for_little(
    tmp_path: Path, seed: int, count: int
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.images.damage", tmp_path, str(seed), str(count)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    *problems, last = run.stdout.splitlines() or [run.stderr]
    assert problems == []
    assert last.startswith(f"{count} files of "), run.stderr[-2000:]
    assert run.returncode == 0


def test_no_memory_is_reserved_for_what_a_file_only_claims_to_have(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"0123456789")
    with BoundedFile(path) as file:
        assert file.read(4) == b"0123"
        assert file.read(2**45) == b"456789"
        assert file.read(2**45) == b""
        file.seek(8)
        assert file.read() == b"89"
