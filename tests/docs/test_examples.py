"""The examples of the pages can be used as they are."""

import re
import tomllib
from pathlib import Path
from typing import Any

from i2i.losses.features import FeatureLoss
from i2i.recipe import parse_recipe
from i2i.recipe.inspection import inspect
from i2i.testing import check_loss
from tests.conftest import ROOT, tiny


def example(page: str, heading: str, language: str) -> str:
    """The last block of a section in a language that begins with `heading`."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[-1]


def test_the_recipe_with_scales_and_features_can_be_trained(weights: Path) -> None:
    sections = tomllib.loads(
        example("recipes.md", "Several scales, and losses on features", "toml")
    )
    size = {"crop_size": 64, "load_size": 64}
    lines = inspect(parse_recipe({**tiny(augment=size), **sections}))
    assert any("1 cgan + 40 feature_matching + 10 vgg" in line for line in lines)
    assert any("6x64x64 -> 1x11x11, 1x7x7" in line for line in lines)


def test_the_loss_on_features_keeps_its_contract() -> None:
    names: dict[str, Any] = {}
    exec(example("plugins.md", "Losses of logits and of features", "python"), names)
    loss = names["LastLayer"]
    assert issubclass(loss, FeatureLoss)
    assert check_loss(loss) == []
