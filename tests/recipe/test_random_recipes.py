"""`i2i check` on random recipes of valid and broken parts: right or refused, never a traceback."""

import datetime
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from i2i.cli import main
from i2i.errors import RecipeError
from i2i.plugins.manager import registry
from i2i.plugins.registry import COMPONENTS
from i2i.plugins.signature import options
from i2i.recipe import Component, Recipe, parse_recipe
from i2i.recipe.component import model_in
from tests.conftest import tiny

HEADINGS = {
    section: model
    for section, field in Recipe.model_fields.items()
    if (model := model_in(field.annotation))
}


def keys_of(section: str) -> list[str]:
    """The keys that a section can have, with those of its components."""
    model = HEADINGS[section]
    keys = set(model.model_fields)
    if issubclass(model, Component):
        for name in registry().names(model.kind):
            entry = registry().get(model.kind, name)
            keys |= {option.name for option in options(entry.load(), entry.kind)}
    return sorted(keys)


PATHS = [*HEADINGS, "name", "seed"]
PATHS += [f"{section}.{key}" for section in HEADINGS for key in keys_of(section)]
PATHS += [f"losses.{i}.{key}" for i in (0, 1, 2) for key in keys_of("losses")]
PATHS += [f"losses.0.discriminator.{key}" for key in keys_of("discriminator")]
COMPONENT_NAMES = sorted({name for kind in COMPONENTS for name in registry().names(kind)})


def one_of(*groups: list[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*(st.sampled_from(group) for group in groups))


RIGHT = one_of(
    [1, 2, 3, 4, 5, 8, 16, 32, 34, 64, 96, 0.0, 0.5, 0.9, 100.0, True, False],
    [[32, 64], [0.5, 0.9], ["l1"], ["psnr", "kid:subsets=3"]],
    ["cpu", "auto", "none", "instance", "resize", "resnet18"],
    [{"type": "patch", "receptive_field": 16}, [{"type": "l1"}], [{"type": "gan", "weight": 2}]],
)
BROKEN = st.one_of(
    one_of(
        [float("inf"), float("-inf"), float("nan"), 1e308, -1, 0, 10**8, 2**63 - 1, -(2**63)],
        ["", "n" * 200, "\x00", "a\nb", "\x1b[31m", "..", "\ufeff", [], [32], [[]], {}, {"": 1}],
        [["kid:subset_size=inf"], [{"type": "l1", "weight": float("nan")}], [1, "a"], [{}]],
        [datetime.date(2020, 2, 2), datetime.time(3, 4), datetime.datetime(2020, 2, 2, 3, 4)],
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.integers(-(2**70), 2**70),
    st.floats(),
)
VALUES = st.one_of(RIGHT, RIGHT, st.sampled_from(COMPONENT_NAMES), BROKEN)
EDITS = st.lists(st.tuples(st.sampled_from(PATHS), VALUES), max_size=4)
ODD_OVERRIDES = one_of(
    ["seed=" + "9" * 5000, "x=" + "[" * 5000, "=", "a", "losses.9.weight=1", "losses.x=1"],
    [".".join("a" * 20_000) + "=1", "train={", "\ufeffseed=3", "name=\udcff", "\udcff=1"],
    ["losses." + "9" * 5000 + ".weight=1", "seed=0x" + "f" * 5000, "data.a\nb=1", "name.x.y=1"],
)
MANGLED = one_of(
    ["\ufeff", "x = [" + "[" * 3000, "x = " + "{a=" * 2000, "x = 1e999", "\x00", "= 1", "[data"],
    ["seed = " + "9" * 5000 + "\n", "seed = 0b" + "1" * 99 + "\n", f"[{'.'.join('a' * 300)}]\n"],
)


@st.composite
def recipes(draw: st.DrawFn) -> tuple[str, list[str]]:
    """The text of a recipe, and overrides; half of them of parts that are right one by one."""
    document = tiny()
    if draw(st.booleans()):
        for path, value in draw(st.lists(st.tuples(st.sampled_from(PATHS), RIGHT), max_size=8)):
            changed = deepcopy(document)
            place(changed, path.split("."), value)
            with suppress(RecipeError):
                parse_recipe(changed)
                document = changed
        return tomli_w.dumps(document), []
    for path, value in draw(EDITS):
        place(document, path.split("."), value)
    text = tomli_w.dumps(document)
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.sampled_from([0, len(text) // 2, len(text)]))
        text = text[:at] + draw(MANGLED) + text[at:]
    overrides = [f"{path}={override(value)}" for path, value in draw(EDITS)[:2]]
    if draw(st.integers(0, 5)) == 0:
        overrides.append(draw(ODD_OVERRIDES))
    return text, overrides


def place(document: Any, path: list[str], value: Any) -> None:
    """Set a value in a document, where the document has a place for it."""
    *parents, last = path
    for key in parents:
        if isinstance(document, list):
            document = document[int(key)] if int(key) < len(document) else {}
        elif isinstance(document, dict):
            document = document.setdefault(key, {})
    if isinstance(document, dict):
        document[last] = value


def override(value: Any) -> str:
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def check(folder: Path, text: str, overrides: list[str]) -> Any:
    """The exit status of `i2i check`; whatever it doesn't catch is raised."""
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(path), *(part for each in overrides for part in ("--set", each))])
    return ended.value.code


def expect_an_answer(
    folder: Path, recipe: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    status = check(folder, *recipe)
    event(f"exit {status}")
    said = capsys.readouterr()
    assert status in (0, None, 2)
    assert ("the recipe is valid" in said.out) is (status != 2)
    assert (said.err != "") is (status == 2)
    assert all(len(line) < 2000 for line in said.err.splitlines())


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    """No network: a data set that isn't here can't be fetched."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


RANDOM = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=150, **RANDOM)
@given(recipe=recipes())
@pytest.mark.usefixtures("nowhere")
def test_a_random_recipe_is_right_or_refused(
    recipe: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expect_an_answer(tmp_path, recipe, capsys)
