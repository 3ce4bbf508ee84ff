"""malloc is tuned by the commands that compute, and by no library call."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import i2i
from i2i.cli import program
from i2i.system import memory
from tests.conftest import picture


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """The devices that malloc was tuned for; in these tests it isn't."""
    devices: list[torch.device] = []
    monkeypatch.setattr(memory, "keep_freed_memory", devices.append)
    return devices


def call(*arguments: object) -> None:
    CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)


def test_runs_and_translations_tune_it_as_commands_only(
    tuned: list[torch.device], write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe, image = write_recipe(train={"max_steps": 1}), tmp_path / "image.png"
    Image.fromarray(picture(0, (32, 32))).save(image)
    i2i.run(recipe, out=tmp_path / "one", quiet=True)
    model = i2i.load(tmp_path / "one")
    model(image)
    i2i.translate(model, [image], tmp_path / "out")
    assert tuned == []
    call("run", recipe, "--out", tmp_path / "two", "--quiet")
    call("translate", tmp_path / "two", image, "--out", tmp_path / "more")
    assert tuned == [torch.device("cpu")] * 2


def test_nothing_is_given_back_where_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    memory._keep.cache_clear()  # as another test's command may have had it called
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: pytest.fail("malloc was touched"))
    memory.keep_freed_memory(torch.device("cuda"))
    memory.give_back_freed_memory()
