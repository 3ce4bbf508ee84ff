"""Recipes of earlier versions are read: users are told what to change, runs are not."""

from pathlib import Path

import pytest
import tomli_w

from i2i.recipe import load_recipe, load_run_recipe, resolved_recipe
from i2i.recipe.segmenter_schema import SegmenterRecipe
from tests.conftest import tiny

OLD = tiny(eval={"resamples": 7}, segmenter={"epochs": 3})


@pytest.fixture
def old(tmp_path: Path) -> Path:
    file = tmp_path / "old.toml"
    file.write_text(tomli_w.dumps(OLD))
    return file


def test_a_user_s_recipe_with_old_keys_is_read_and_says_what_to_change(old: Path) -> None:
    with pytest.warns(FutureWarning) as told:
        recipe = load_recipe(old)
    assert recipe.eval.bootstrap == 7
    words = [str(each.message) for each in told]
    assert any("eval.resamples" in each and "eval.bootstrap" in each for each in words)
    assert any("[segmenter]" in each and "i2i segmenter train" in each for each in words)


def test_overrides_may_use_old_keys_too(old: Path) -> None:
    with pytest.warns(FutureWarning):
        assert load_recipe(old, ["eval.resamples=9"]).eval.bootstrap == 9


def test_a_run_s_recipe_with_old_keys_is_read_without_a_word(old: Path) -> None:
    assert load_run_recipe(old).eval.bootstrap == 7
    assert resolved_recipe(old.read_text(), source="old").eval.bootstrap == 7


def test_a_segmenter_s_recipe_has_its_section(old: Path) -> None:
    with pytest.warns(FutureWarning, match=r"eval\.resamples"):
        assert load_recipe(old, (), SegmenterRecipe).segmenter.epochs == 3
