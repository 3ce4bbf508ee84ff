"""Small recipes of CycleGAN, and a run that tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import i2i
from i2i.recipe import parse_recipe

torch.set_num_threads(1)


def tiny(**sections: Any) -> dict[str, Any]:
    """A recipe that trains in a blink, on procedural facades without pairs."""
    document: dict[str, Any] = {
        "name": "tiny",
        "data": {"type": "synthetic", "train": 8, "val": 2, "test": 3, "paired": False},
        "augment": {"crop_size": 32, "load_size": 36},
        "method": {"type": "cyclegan", "pool_size": 3},
        "generator": {"type": "resnet", "blocks": 1, "base_channels": 4},
        "discriminator": {"type": "patch", "receptive_field": 16, "base_channels": 4},
        "losses": [{"type": "gan", "objective": "lsgan"}],
        "train": {"max_steps": 10, "device": "cpu"},
        "validation": {"every": 0},
        "checkpoint": {"every": 3},
        "log": {"every": 1, "samples_every": 5, "samples": 2},
        "eval": {"metrics": ["l1"]},
    }
    for name, section in sections.items():
        together = isinstance(section, dict) and isinstance(document.get(name), dict)
        document[name] = {**document[name], **section} if together else section
    return document


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def tiny_recipe() -> Callable[..., i2i.Recipe]:
    return lambda **sections: parse_recipe(tiny(**sections))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cyclegan")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(folder / "cache"))
        i2i.run(parse_recipe(tiny()), out=folder / "run", quiet=True)
    return folder / "run"
