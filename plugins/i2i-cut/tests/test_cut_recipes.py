"""The plugin's recipes, as `i2i check` sees them."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from i2i.cli import program
from i2i.recipe import load_recipe

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def horses(tmp_path: Path) -> Path:
    """Two unpaired images in each folder of the data set's layout."""
    root = tmp_path / "horse2zebra"
    for i, folder in enumerate(("trainA", "trainB", "testA", "testB")):
        (root / folder).mkdir(parents=True)
        for j in range(2):
            pixels = np.full((256, 256, 3), 20 * i + j, dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{i}{j}.png")
    return root


@pytest.mark.parametrize("name", ["cut", "fastcut"])
def test_the_papers_recipes_build_the_papers_networks(horses: Path, name: str) -> None:
    path = RECIPES / f"{name}_horse2zebra.toml"
    arguments = ["check", str(path), "--set", f"data.root={horses}"]
    checked = CliRunner().invoke(program, arguments)
    assert checked.exit_code == 0, checked.output + str(checked.exception)
    for line in (
        "generator                  11,378,179 parameters   3x256x256 -> 3x256x256",
        "features                      560,384 parameters\n",
        "discriminator               2,764,737 parameters   3x256x256 -> 1x30x30",
    ):
        assert line in checked.output


def test_fastcut_has_the_papers_other_settings(horses: Path) -> None:
    cut, fast = (
        load_recipe(RECIPES / f"{name}_horse2zebra.toml", [f"data.root={horses}"])
        for name in ("cut", "fastcut")
    )
    for recipe in (cut, fast):
        assert (recipe.augment.load, recipe.augment.crop) == ((286, 286), (256, 256))
        assert recipe.augment.flip
    changed = {
        key: (value, fast.method.options[key])
        for key, value in cut.method.options.items()
        if value != fast.method.options[key]
    }
    assert changed == {
        "nce_weight": (1.0, 10.0),
        "identity": (True, False),
        "flip_equivariance": (False, True),
    }
    assert (cut.train.epochs, cut.schedule.decay_from) == (400, 0.5)
    assert (fast.train.epochs, fast.schedule.decay_from) == (200, 0.75)
