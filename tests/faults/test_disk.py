"""No space, no permission, no console: a line that says so, and what was whole stays whole."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from i2i.training.checkpoint import newest, verify
from tests.processes import Run

Start = Callable[..., Run]
Disk = Callable[..., Path]

PROGRAM = (sys.executable, "-m", "i2i")
HEARING = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from i2i.cli import main; main()",
)
"""The program as it is started on a terminal; the tests themselves may run under nohup."""

LONG = ("--set", "train.epochs=100000", "--set", "train.max_steps=100000")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a small disk; its options are those of mount."""
    mounted = []

    def mount(options: str) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path, free: int = 0) -> None:
    """Fill the disk of a folder up to a number of free bytes."""
    room = os.statvfs(folder)
    (folder / ".fill").write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - free)))


def told(run: Run, *words: str) -> None:
    assert run.status == 1, run.output
    assert "Traceback" not in run.output
    last = run.errors.splitlines()[-1]
    for word in words:
        assert word.lower() in last.lower(), run.errors


@pytest.mark.parametrize("free", [0, 12_000, 60_000])
def test_a_full_disk_in_a_run_is_told_and_its_checkpoints_stay(
    i2i: Start, disk: Disk, trained: Path, write_recipe: Callable[..., Path], free: int
) -> None:
    folder = disk("size=1500k")
    run = Path(shutil.copytree(trained, folder / "r"))
    before = verify(run / "checkpoints/step-00000006")
    fill(folder, free)
    told(
        i2i("run", write_recipe(), "--out", run, "--resume", "--max-steps", 60),
        "no space left",
        "KB free",
    )
    assert verify(run / "checkpoints/step-00000006") == before


@pytest.mark.parametrize("part", ["samples", "evaluation"])
def test_a_full_part_of_a_run_is_told(
    i2i: Start,
    disk: Disk,
    tmp_path: Path,
    trained: Path,
    write_recipe: Callable[..., Path],
    part: str,
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "r", ignore=shutil.ignore_patterns(part)))
    folder = disk("size=8k")
    fill(folder)
    (run / part).symlink_to(folder)
    told(i2i("run", write_recipe(), "--out", run, "--resume", "--max-steps", 9), ".png", "no space")


def test_the_page_and_the_results_of_other_commands_are_told(
    i2i: Start, disk: Disk, trained: Path
) -> None:
    folder = disk("size=1500k")
    run = Path(shutil.copytree(trained, folder / "r"))
    fill(folder)
    images = trained / "evaluation/images"
    commands = [
        ("report", run),
        ("eval", run),
        ("eval", images, "--against", images, "--metric", "l1", "--out", folder / "m.json"),
        ("translate", trained, images, "--out", folder / "o"),
        ("export", trained, "--to", "torch", "--out", folder / "m.pt2"),
        ("demo", trained, "--space", folder / "space"),
    ]
    for command in commands:
        told(i2i(*command), "disk", "no space left")
    assert verify(run / "checkpoints/step-00000006").step == 6


def test_a_run_that_can_not_be_written_to_is_measured_elsewhere(
    i2i: Start, disk: Disk, trained: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    folder = disk("size=3m")
    run = Path(shutil.copytree(trained, folder / "r"))
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    for command in (
        ("report", run),
        ("eval", run),
        ("run", write_recipe(), "--out", run, "--overwrite"),
    ):
        told(i2i(*command), "read-only")
    measured = i2i("eval", run, "--out", "m.json")
    assert measured.status == 0, measured.output
    assert '"l1"' in (tmp_path / "m.json").read_text()
    assert i2i("report", run, "--out", "r.html").status == 0
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix in (".json", ".html")) == [
        "m.json",
        "r.html",
    ]


def test_standard_output_that_is_full_is_told(trained: Path, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [
                *PROGRAM,
                "eval",
                trained / "evaluation/images",
                "--against",
                trained / "evaluation/images",
                "--metric",
                "l1",
                "--out",
                "m.json",
            ],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


@pytest.mark.parametrize("gone", ["terminal", "reader"])
def test_a_console_that_is_gone_saves_the_training(
    tmp_path: Path, write_recipe: Callable[..., Path], gone: str
) -> None:
    recipe = write_recipe(log={"every": 1, "samples_every": 0}, validation={"every": 0})
    command = [*HEARING, "run", recipe, "--out", "r", "--set", "checkpoint.every=100000", *LONG]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as program:
        assert program.stdout is not None
        while not program.stdout.readline().startswith("step "):
            assert program.poll() is None
        if gone == "terminal":
            program.send_signal(signal.SIGHUP)
            program.stdout.read()
        else:
            program.stdout.close()
        errors = program.stderr.read() if program.stderr else ""
    assert program.returncode == (129 if gone == "terminal" else 141), errors
    assert "Traceback" not in errors
    found, _ = newest(tmp_path / "r/checkpoints")
    assert found is not None
    assert found.step > 0


def test_a_training_under_nohup_outlives_its_terminal(
    tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe(train={"max_steps": 30})
    with subprocess.Popen(
        ["nohup", *PROGRAM, "run", recipe, "--out", "r"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as program:
        assert program.stdout is not None
        while not program.stdout.readline().startswith("step "):
            assert program.poll() is None
        program.send_signal(signal.SIGHUP)
        program.stdout.read()
    assert program.returncode == 0
    assert verify(tmp_path / "r/checkpoints/step-00000030").step == 30
