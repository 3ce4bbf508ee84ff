"""One process at a time in a run's folder."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Run

Start = Callable[..., Run]


@pytest.fixture
def busy(i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]) -> Iterator[Run]:
    """A run that is training."""
    recipe = write_recipe(
        train={"max_steps": 100_000, "epochs": 100_000},
        log={"samples_every": 0},
        validation={"every": 0},
        checkpoint={"every": 2},
    )
    first = i2i("run", recipe, "--out", "r")
    manifests = (tmp_path / "r/checkpoints").glob("step-*/manifest.json")
    while not any(manifests):
        assert first.process.is_alive(), first.output
        first.process.join(0.05)
        manifests = (tmp_path / "r/checkpoints").glob("step-*/manifest.json")
    yield first
    first.signal(signal.SIGKILL)
    first.wait()


def test_any_other_command_is_told_who_holds_the_folder(
    busy: Run, i2i: Start, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    commands = [
        ("run", recipe, "--out", "r", "--overwrite"),
        ("run", recipe, "--out", "r", "--resume"),
        ("eval", "r"),
        ("report", "r"),
    ]
    for command, second in [(command, i2i(*command)) for command in commands]:
        assert second.status == 1, command
        assert f"process {busy.process.pid} on" in second.errors, command
        assert len(second.errors.splitlines()) == 1, command
    assert busy.process.is_alive()
    beside = i2i("report", "r", "--out", "now.html")
    assert beside.status == 0, beside.output
    assert "<html" in (tmp_path / "now.html").read_text()


def test_a_killed_process_holds_nothing(busy: Run, i2i: Start, tmp_path: Path) -> None:
    busy.signal(signal.SIGKILL)
    busy.wait()
    left = tmp_path / "r/.report.0123456789abcdef.unfinished.html"
    left.write_text("half")
    measured = i2i("eval", "r")
    assert measured.status == 0, measured.output
    assert not left.exists()
    assert not (tmp_path / "r/.lock").exists()


def test_two_trainings_of_one_segmenter_do_not_meet(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe(augment={"load_size": 64, "crop_size": 64})
    options = ("--set", "segmenter.pretrained=false", "--out", "s.safetensors", "--epochs")
    first = i2i("segmenter", "train", recipe, *options, 100_000)
    while not (lock := tmp_path / ".s.safetensors.lock").exists() or not lock.read_text():
        assert first.process.is_alive(), first.output
        first.process.join(0.05)
    second = i2i("segmenter", "train", recipe, *options, 1)
    assert second.status == 1
    assert f"process {first.process.pid} on" in second.errors
    first.signal(signal.SIGKILL)
    first.wait()
