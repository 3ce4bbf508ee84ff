"""What the tests share: a cache of their own and a recipe that trains in a blink."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from i2i.recipe import Recipe, parse_recipe
from i2i.recipe.assemble import assemble_losses, assemble_method

torch.set_num_threads(1)

_LOST = {
    *(
        f"generator.layers.{layer}.bias"
        for layer in ("1", "12.layers.1", "12.layers.5", "14", "18")
    ),
    "discriminator.layers.3.bias",
}


@pytest.fixture
def has_effect() -> Callable[[str], bool]:
    """Whether a weight of the tiny recipe has any effect.

    A norm subtracts the bias before it, unless the map between them is a feature. The gradient of
    such a bias is made of rounding errors, which Adam turns into steps of any size.
    """
    return lambda name: name not in _LOST


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def tiny() -> Callable[..., dict[str, Any]]:
    """A recipe with small networks; the sections given are merged into it."""

    def document(**sections: Any) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": "tiny",
            "seed": 2,
            "data": {"type": "synthetic", "train": 8, "val": 2, "test": 2, "paired": False},
            "augment": {"load_size": 36, "crop_size": 32},
            "method": {"type": "cut", "layers": [0, 4, 8, 12], "patches": 16, "features": 8},
            "generator": {"type": "cut_resnet", "blocks": 1, "base_channels": 4},
            "discriminator": {"type": "cut_patch", "receptive_field": 16, "base_channels": 4},
            "losses": [{"type": "gan", "objective": "lsgan"}],
            "optimizer": {"eps": 1e-2},  # less would enlarge rounding errors
            "train": {"max_steps": 4, "batch_size": 2, "device": "cpu"},
            "validation": {"every": 0},
            "checkpoint": {"every": 2},
            "log": {"every": 1, "samples_every": 0},
            "eval": {"metrics": ["l1"]},
        }
        for name, section in sections.items():
            found[name] = section if isinstance(section, list) else found.get(name, {}) | section
        return found

    return document


@pytest.fixture
def recipe(tiny: Callable[..., dict[str, Any]]) -> Callable[..., Recipe]:
    return lambda **sections: parse_recipe(tiny(**sections))


@pytest.fixture
def method(recipe: Callable[..., Recipe]) -> Callable[..., Any]:
    """Build the tiny recipe's method."""

    def build(*, channels: tuple[int, int] = (3, 3), **sections: Any) -> Any:
        made = recipe(**sections)
        return assemble_method(made, channels, assemble_losses(made))

    return build
