"""What a study file may say, and how its mistakes are told."""

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from i2i.errors import RecipeError
from i2i.studies.reading import load_study, merged
from tests.conftest import ROOT
from tests.studies.conftest import Write, document

RECIPES = sorted((ROOT / "recipes" / "studies").glob("*.toml"))

tables = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), st.integers() | inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_studies_that_come_along_are_right(path: Path) -> None:
    experiment = load_study(path)
    assert experiment.study.name == path.stem
    assert experiment.study.orderings


def test_every_mistake_is_told_at_once_with_what_was_meant(write_study: Write) -> None:
    path = write_study(
        metrics=["l1", "pnsr"],
        columns=["l1", "lpip"],
        seeds=[1, 1],
        set={"train": {"batchsize": 2}, "seed": 4},
        variants=[
            {"name": "L1", "paper": {"fid": 1.0}},
            {"name": "L-1", "set": {"generator": {"dept": 4}}},
            {"name": "l1"},
            {"name": "?"},
        ],
        orderings=[{"claim": "c", "metric": "l2", "better": ["L2"], "worse": ["L1"]}],
        paper={"kid": "from elsewhere"},
    )
    with pytest.raises(RecipeError) as raised:
        load_study(path)
    told = "\n".join(raised.value.problems)
    for words in (
        "metrics.1: unknown metric 'pnsr', did you mean 'psnr'?",
        "columns.1: the study has no metric 'lpip'",
        "seeds: has an entry twice",
        "every variant: train.batchsize: unknown key, did you mean 'batch_size'?",
        "variant 'L-1': generator.dept: unknown key, did you mean 'depth'?",
        "set.seed: can't be set: set it in 'seeds'",
        "variants.0.paper.fid: the study has no metric 'fid'",
        "variants.2.name: 'l1' and 'L1' would both be 'l1' in file names",
        "variants.3.name: '?' has no letter or digit",
        "orderings.0.metric: the study has no metric 'l2', did you mean 'l1'?",
        "orderings.0.better.0: the study has no variant 'L2', did you mean 'L1'?",
        "paper.kid: the study has no metric 'kid'",
    ):
        assert words in told, words
    assert all(problem.startswith(str(path)) for problem in raised.value.problems)
    assert told.count("unknown metric 'pnsr'") == 1


def test_unknown_and_missing_keys_of_a_study_are_told(tmp_path: Path) -> None:
    content = document(colums=["l1"])
    del content["metrics"]
    path = tmp_path / "study.toml"
    path.write_text(tomli_w.dumps(content))
    with pytest.raises(RecipeError) as raised:
        load_study(path)
    assert "colums: unknown key, did you mean 'columns'?" in str(raised.value)
    assert "metrics: is required" in str(raised.value)


def test_a_study_without_its_base_recipe_says_which_is_missing(write_study: Write) -> None:
    path = write_study(recipe="bsae.toml")
    with pytest.raises(RecipeError, match=r"recipe: .*bsae\.toml: there is no such file"):
        load_study(path)


def test_a_variant_is_the_base_recipe_with_the_study_s_changes_and_then_its_own(
    write_study: Write,
) -> None:
    path = write_study(
        seeds=[0, 7],
        set={"train": {"batch_size": 3}, "discriminator": {"base_channels": 8}},
        variants=[
            {"name": "L1", "seeds": [5], "set": {"losses": [{"type": "l1"}]}},
            {"name": "L1+cGAN", "set": {"discriminator": {"type": "pixel"}}},
        ],
    )
    recipes = load_study(path, ["train.max_steps=9"]).recipes
    assert list(recipes) == [("L1", 5), ("L1+cGAN", 0), ("L1+cGAN", 7)]
    first, second = recipes["L1", 5], recipes["L1+cGAN", 7]
    assert (first.name, first.seed, first.train.batch_size) == ("l1-seed5", 5, 3)
    assert [loss.type for loss in first.losses] == ["l1"]
    assert first.discriminator.options["base_channels"] == 8
    assert "receptive_field" not in second.discriminator.options
    assert second.eval.metrics == ("l1", "l2", "lab_histogram")
    assert second.train.max_steps == 9


def test_a_variant_that_names_the_component_it_changes_keeps_its_other_options(
    write_study: Write,
) -> None:
    order = "before"
    path = write_study(
        set={"method": {"adversarial_gradient": order}},
        variants=[
            {"name": "L1", "paper": {}},
            {"name": "L1+cGAN", "set": {"method": {"type": "pix2pix"}}},
        ],
    )
    for recipe in load_study(path).recipes.values():
        assert recipe.method.options["adversarial_gradient"] == order


def test_metrics_go_by_their_names_and_options_only_where_they_must(write_study: Write) -> None:
    metrics = ["l1", "kid:subset_size=3", "fid:preset=tf1", "fid"]
    path = write_study(
        metrics=metrics, columns=["kid", "kid.standard_error", "fid:preset=tf1"], paper={}
    )
    study = load_study(write_and_forget_paper(path)).study
    assert list(study.metric_texts) == ["l1", "kid", "fid:preset=tf1", "fid"]
    assert study.column("kid.standard_error") == ("kid", "standard_error")
    assert study.column("fid:preset=tf1") == ("fid:preset=tf1", None)


def write_and_forget_paper(path: Path) -> Path:
    import tomllib

    content = tomllib.loads(path.read_text())
    for variant in content["variants"]:
        variant.pop("paper", None)
    path.write_text(tomli_w.dumps(content))
    return path


@given(tables, tables)
def test_a_change_wins_and_nothing_else_is_lost(
    base: dict[str, Any], change: dict[str, Any]
) -> None:
    result = merged(base, change)
    assert merged(base, {}) == base
    assert merged(result, change) == result
    for key in base.keys() | change.keys():
        if key not in change:
            assert result[key] == base[key]
        elif not isinstance(change[key], dict) or not isinstance(base.get(key), dict):
            assert result[key] == change[key]
