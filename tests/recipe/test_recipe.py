"""Recipes: every mistake at once, each with its path and the nearest right name."""

import datetime
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.errors import RecipeError
from i2i.recipe import Recipe, load_recipe, parse_recipe
from tests.conftest import ROOT, tiny

RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


def problems(document: dict[str, Any], *overrides: str) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        parse_recipe(document, overrides)
    return [problem.removeprefix("recipe: ") for problem in raised.value.problems]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_that_come_with_i2i_are_right(path: Path) -> None:
    assert load_recipe(path).name == path.stem


def test_the_resolved_recipe_has_every_default_and_resolves_to_itself(
    tiny_recipe: Callable[..., Recipe],
) -> None:
    recipe = tiny_recipe()
    text = recipe.to_toml()
    assert parse_recipe(tomllib.loads(text)) == recipe
    resolved = tomllib.loads(text)
    assert resolved["generator"]["upsampling"] == "transposed"
    assert resolved["losses"][0]["objective"] == "bce"
    assert resolved["optimizer"]["betas"] == [0.5, 0.999]
    assert resolved["method"]["adversarial_gradient"] == "after"


def test_keys_of_a_section_without_a_type_are_the_default_components() -> None:
    document = tiny()
    document["generator"].pop("type")
    recipe = parse_recipe(document, ["method.adversarial_gradient=before"])
    assert recipe.generator == parse_recipe(tiny()).generator
    assert recipe.method.type == "pix2pix"
    assert recipe.method.options["adversarial_gradient"] == "before"
    (line,) = problems(tiny(), "method.adversarial_gradent=before")
    assert line.startswith("method.adversarial_gradent: unknown key")


def test_a_recipe_with_five_mistakes_gets_five_lines(i2i: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(
        """
        name = "bad"
        [data]
        type = "openmojj"
        [generator]
        type = "unet"
        depht = 8
        norm = "bacth"
        [[losses]]
        type = "l1"
        weight = -1
        [train]
        epochs = "ten"
        """
    )
    run = i2i("run", "bad.toml")
    assert run.status == 2
    lines = run.errors.splitlines()
    assert len(lines) == 5
    expected = {
        "data.type": "did you mean 'openmoji'?",
        "generator.depht": "did you mean 'depth'?",
        "generator.norm": "did you mean 'batch'?",
        "losses.0.weight": "must be above 0",
        "train.epochs": "must be a whole number, not 'ten'; the default is 200",
    }
    for path, hint in expected.items():
        assert any(f"bad.toml: {path}: " in line and hint in line for line in lines), path
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("change", "path", "hint"),
    [
        ({"sed": 1}, "sed", "did you mean 'seed'?"),
        ({"train": {"lr": 0.1}}, "train.lr", "did you mean 'optimizer.lr'?"),
        ({"train": {"precision": "16"}}, "train.precision", "must be one of 'auto', 32, 'bf16"),
        ({"train": {"device": "gpu"}}, "train.device", "the default is 'auto'"),
        ({"augment": {"crop_size": 0}}, "augment.crop_size", "must be"),
        ({"augment": {"crop_size": [32, "a"]}}, "augment.crop_size.1", "whole number"),
        ({"augment": {"load_size": 30}}, "augment", "load_size [30, 30] is smaller than crop_size"),
        ({"generator": {"type": "unett"}}, "generator.type", "did you mean 'unet'? Known:"),
        ({"generator": {"type": 3}}, "generator.type", "must be a text, not 3"),
        ({"generator": {"type": "unet", "depth": 11}}, "generator.depth", "must be at most 10"),
        ({"generator": {"type": "unet", "depth": 2}}, "generator.depth", "must be at least 3"),
        ({"generator": {"type": "unet", "depth": True}}, "generator.depth", "not true"),
        ({"generator": {"type": "unet", "in_channels": 3}}, "generator.in_channels", "unknown key"),
        ({"losses": []}, "losses", "needs at least one item"),
        ({"losses": [{}]}, "losses.0.type", "is required"),
        (
            {"losses": [{"type": "cgan", "discriminator": {"type": "pach"}}]},
            "losses.0.discriminator.type",
            "did you mean 'patch'?",
        ),
        ({"eval": {"metrics": ["l1", "snr"]}}, "eval.metrics.1", "did you mean 'psnr'?"),
        ({"validation": {"best": "psnr"}}, "validation", "isn't among metrics"),
        ({"optimizer": {"lr": float("nan")}}, "optimizer.lr", "finite"),
        ({"name": "../x"}, "name", "doesn't match"),
        ({"data": {"type": "folders"}}, "data.root", "is required"),
        ({"seed": -1}, "seed", "must be at least 0"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_a_hint(
    change: dict[str, Any], path: str, hint: str
) -> None:
    (line,) = problems(tiny(**change))
    assert line.startswith(f"{path}: ")
    assert hint in line


def test_what_is_not_toml_is_one_line_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = \n[data")
    with pytest.raises(RecipeError, match=r"bad\.toml: not valid TOML: .*line 1"):
        load_recipe(tmp_path / "bad.toml")
    with pytest.raises(RecipeError, match="there is no such file"):
        load_recipe(tmp_path / "none.toml")


def test_set_changes_values_of_any_toml_type() -> None:
    recipe = parse_recipe(
        tiny(),
        [
            "train.max_steps=7",
            "optimizer.betas=[0.4, 0.9]",
            "augment.flip=false",
            'losses=[{type = "l2", weight = 3}, {type = "gan"}]',
            "losses.0.weight=2.5",
            "name=other",
            "generator.norm='instance'",
        ],
    )
    assert recipe.train.max_steps == 7
    assert recipe.optimizer.betas == (0.4, 0.9)
    assert not recipe.augment.flip
    assert [(loss.type, loss.weight) for loss in recipe.losses] == [("l2", 2.5), ("gan", 1.0)]
    assert recipe.name == "other"
    assert recipe.generator.options["norm"] == "instance"


def test_set_mistakes_are_listed_with_the_others() -> None:
    lines = problems(tiny(), "train.epoch=3", "losses.9.weight=1", "nonsense", "name.x=1")
    assert any(line.startswith("train.epoch: ") and "'epochs'" in line for line in lines)
    assert any(line.startswith("losses.9: ") for line in lines)
    assert any(line.startswith("--set: ") for line in lines)
    assert any(line.startswith("name.x: ") for line in lines)


def test_losses_of_one_type_get_labels_of_their_own() -> None:
    recipe = parse_recipe(tiny(losses=[{"type": "l1"}, {"type": "cgan"}, {"type": "l1"}]))
    assert recipe.loss_labels == ("l1", "cgan", "l1_2")


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 500), st.floats(), st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    section=st.sampled_from([*tiny(), "optimizer", "schedule", "test", "method"]),
    key=st.one_of(st.text(max_size=10), st.sampled_from(["type", "every", "epochs", "weight"])),
    value=VALUES,
    replaces=st.booleans(),
)
def test_whatever_a_recipe_says_it_is_right_or_refused_by_name(
    section: str, key: str, value: Any, replaces: bool
) -> None:
    document = tiny()
    if replaces or not isinstance(document.get(section, {}), dict):
        document[section] = value
    else:
        document.setdefault(section, {})[key] = value
    refused: tuple[str, ...] | None = None
    try:
        recipe = parse_recipe(document)
    except RecipeError as error:
        refused = error.problems
    if refused is None:
        assert parse_recipe(tomllib.loads(recipe.to_toml())) == recipe
    else:
        assert refused
        assert all(problem.startswith("recipe: ") for problem in refused)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "augment.crop_size=[64]",
            "augment.crop_size: must be a whole number or a list of 2 items",
        ),
        (
            "augment.load_size=[64, 64, 64]",
            "augment.load_size: must be a whole number or a list of",
        ),
        ("optimizer.betas=[]", "optimizer.betas: must be a list of 2 items, not []"),
        (f"name={'a' * 150}", "is 150 characters long; use at most 100"),
        ("losses.0.weight=nan", "losses.0.weight: must be finite, not nan"),
        ("losses.0.weight=-inf", "losses.0.weight: must be"),
        ("method.discriminator_weight=inf", "method.discriminator_weight: must be finite"),
        ("generator.dropout=nan", "generator.dropout: must be finite"),
        (f"train.epochs={'7' * 6000}", "train.epochs: --set: a whole number has more than 64 bits"),
        ("seed=0x" + "f" * 17, "seed: --set: a whole number has more than 64 bits"),
        (f"z={'[' * 40}{']' * 40}", "z: --set: tables and lists are nested more than 32 deep"),
        (f"z={'{a=' * 4000}", "z: --set: tables and lists are nested more than 32 deep"),
        (f"{'a.' * 9999}b=1", "has more than 32 parts"),
        (f"losses.{'1' * 5000}.weight=1", "there is no such item; the list has 2"),
        ("name=\udcfe", "name: --set: a text is not valid Unicode"),
        (f"eval.metrics=['kid:seed={'9' * 5000}']", "eval.metrics.0: a whole number has more than"),
        ("train.accumulate=4", "batch_size 2 can't be split into 4 equal parts"),
    ],
)
def test_an_odd_value_is_refused_in_one_short_line_of_our_words(text: str, words: str) -> None:
    (line,) = problems(tiny(), text)
    assert words in line
    assert len(line) < 300
    assert "constrained" not in line
    assert "valid integer" not in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[z]\na = {'[' * 50}{']' * 50}", "nested more than 32 deep"),
        (f"z = {'[' * 6000}", "nested more than 32 deep"),
        (f"[{'.'.join('z' * 3000)}]\nb = 1", "nested more than 32 deep"),
        (f"z = {'1' * 5000}", "a whole number has more than 64 bits"),
        (f"z = -{2**63 + 1}", "a whole number has more than 64 bits"),
    ],
)
def test_a_file_out_of_bounds_is_refused_in_a_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=rf"odd\.toml: .*{words}") as caught:
        load_recipe(path)
    assert len(caught.value.problems) == 1


def test_a_document_out_of_bounds_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    (line,) = problems({**tiny(), "z": deep})
    assert "nested more than 32 deep" in line
    (line,) = problems({**tiny(), "seed": 10**6000})
    assert "64 bits" in line


def test_a_byte_order_mark_is_skipped_and_other_encodings_are_refused(
    write_recipe: Callable[..., Path],
) -> None:
    path = write_recipe()
    text = path.read_text()
    path.write_text(text, encoding="utf-8-sig")
    assert load_recipe(path, ["\ufeffseed=5"]).seed == 5
    path.write_text(text, encoding="utf-16")
    with pytest.raises(RecipeError, match="is not UTF-8 text; save it as UTF-8"):
        load_recipe(path)


SECTIONS = ["data", "generator", "discriminator", "method", "losses.0", "losses.0.discriminator"]


@pytest.mark.parametrize("value", ["2020-02-02", "03:04:00", "2020-02-02 03:04:00"])
def test_dates_and_times_without_quotes_are_no_components(value: str) -> None:
    for section in SECTIONS:
        (line,) = problems(tiny(), f"{section}.type={value}")
        assert line.startswith(f"{section}.type: unknown ")
        assert f"'{value}'" in line
    (line,) = problems(tiny(), f"eval.metrics=[{value}]")
    assert line.startswith("eval.metrics.0: ")


def test_a_date_without_quotes_is_a_text(write_recipe: Callable[..., Path]) -> None:
    path = write_recipe()
    path.write_text(path.read_text().replace('name = "tiny"', "name = 2020-02-02"))
    assert load_recipe(path).name == "2020-02-02"
    assert load_recipe(path, ["name=2021-03-03"]).name == "2021-03-03"


def test_a_document_of_python_values_is_read_as_its_texts(tmp_path: Path) -> None:
    document = {**tiny(), "losses": ({"type": "l1"},), "seed": True}
    assert "must be a whole number" in problems(document)[0]
    recipe = parse_recipe({**document, "seed": 3, "name": datetime.date(2020, 2, 2)})
    assert (recipe.name, recipe.losses[0].type) == ("2020-02-02", "l1")
    (line,) = problems({**tiny(), "generator": {"type": tmp_path}})
    assert line.startswith("generator.type: unknown generator")
