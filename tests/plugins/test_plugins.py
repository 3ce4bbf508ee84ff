"""Plugins: one door for all, and a broken one breaks nothing else."""

import importlib
import inspect
from pathlib import Path

import pytest
from click.testing import CliRunner
from torch import nn

import i2i
from i2i import hookspecs
from i2i.cli import program
from i2i.errors import PluginError, RecipeError
from i2i.plugins.manager import BUILT_INS, registry
from i2i.plugins.registry import KINDS, plural
from i2i.recipe import parse_recipe
from tests.conftest import ROOT, tiny
from tests.plugins.conftest import GOOD, Install

HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]


HOOK = "import i2i\n@i2i.hookimpl\ndef register_losses(register):\n    "
"""The begin of a plugin that registers losses."""

HINTS = """
class Gone:
    def __init__(self, *, gain: Nowhere = 1):
        ...
""".replace("Nowhere", "'Nowhere'")


def recipe_problems(**sections: object) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(tiny(**sections))
    return caught.value.problems


def test_built_ins_fill_every_kind() -> None:
    for kind in KINDS:
        assert registry().names(kind)


def test_every_built_in_can_be_loaded() -> None:
    for kind in KINDS:
        for name in registry().names(kind):
            assert callable(registry().get(kind, name).load())


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used_by_a_built_in_and_documented(hook: str) -> None:
    modules = [importlib.import_module(name) for name in BUILT_INS]
    assert any(hasattr(module, hook) for module in modules)
    specification = getattr(hookspecs, hook)
    documented = (ROOT / "docs" / "plugins.md").read_text()
    signature = str(inspect.signature(specification)).replace("i2i.hookspecs.", "")
    assert f"def {hook}{signature}:" in documented
    assert inspect.getdoc(specification)


def test_hooks_and_kinds_are_the_same() -> None:
    kinds = [*(f"register_{plural(kind)}" for kind in KINDS), "register_weights"]
    assert sorted(HOOKS) == sorted(kinds)


def test_an_installed_plugin_brings_what_it_registers(install: Install) -> None:
    install("i2i_good", GOOD.format(name="identity"))
    entry = registry().get("generator", "identity")
    assert entry.plugin == "i2i_good"
    assert issubclass(entry.load(), nn.Module)


def test_a_plugin_that_raises_breaks_nothing_else(install: Install) -> None:
    install("i2i_bad", "raise RuntimeError('no luck')")
    install("i2i_good", GOOD.format(name="identity"))
    assert "identity" in registry().names("generator")
    assert "no luck" in str(registry().broken["i2i_bad"])
    with pytest.raises(PluginError, match=r"unknown generator 'swirl'.*not loaded: i2i_bad"):
        registry().get("generator", "swirl")


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit('no license')",
        "import sys\nsys.exit(0)",
        "raise GeneratorExit",
        "class Own(BaseException): pass\nraise Own('mine')",
        HOOK + "raise SystemExit(3)",
        HOOK + "register(3, dict)",
        HOOK + "register('a\\nb', dict)",
        HOOK + "register('a', dict, summary=1)",
        HOOK + "register('a', print)",
    ],
)
def test_a_plugin_that_ends_the_process_at_import_breaks_nothing_else(
    install: Install, code: str
) -> None:
    install("i2i_bad", code)
    install("i2i_good", GOOD.format(name="identity"))
    assert "identity" in registry().names("generator")
    assert "i2i_bad" not in {entry.plugin for entry in registry().entries["loss"].values()}
    listed = CliRunner().invoke(program, ["list"])
    assert listed.exit_code == 0
    assert "identity" in listed.output
    doctor = CliRunner().invoke(program, ["doctor"])
    assert doctor.exit_code == 1
    assert "plugin 'i2i_bad' is broken:" in doctor.output
    assert "plugin 'i2i_good' is broken:" not in doctor.output


def test_ctrl_c_during_the_import_of_a_plugin_stops(install: Install) -> None:
    install("i2i_slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry()


@pytest.mark.parametrize("code", ["raise SystemExit(0)", "def Gone(x): ...", HINTS])
def test_a_lazy_target_that_exits_or_is_no_component_is_a_line(
    install: Install, code: str, tmp_path: Path
) -> None:
    (tmp_path / "i2i_later.py").write_text(code)
    install("i2i_lazy", HOOK + "register('gone', 'i2i_later:Gone')")
    (line,) = recipe_problems(losses=[{"type": "gone"}])
    assert line.startswith("recipe: losses.0.type: ")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (GOOD.format(name="unet"), "'unet' is registered twice: by i2i.generators and by i2i_bad"),
        (GOOD.format(name="a").replace("*, gain: float = 1.0", "**options"), "would vanish"),
        (GOOD.format(name="a").replace("gain: float = 1.0", "gain=1.0"), "gives its option 'gain'"),
        (
            GOOD.format(name="a").replace("def register_gen", "def regster_gen"),
            "regster_generators",
        ),
        ("x = 1", "registers nothing"),
    ],
)
def test_a_plugin_that_registers_nonsense_is_left_out_whole(
    install: Install, code: str, reason: str
) -> None:
    install("i2i_bad", code)
    assert reason in str(registry().broken["i2i_bad"])
    assert registry().get("generator", "unet").plugin == "i2i.generators"
    assert "a" not in registry().names("generator")


def test_strict_plugins_raise(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_STRICT_PLUGINS", "1")
    install("i2i_bad", "raise RuntimeError('no luck')")
    with pytest.raises(PluginError, match="no luck"):
        registry()


def test_only_the_plugins_asked_for_are_loaded(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("I2I_LOAD_PLUGINS", "i2i_one, i2i_three")
    install("i2i_one", GOOD.format(name="one"))
    install("i2i_two", GOOD.format(name="two"))
    names = registry().names("generator")
    assert "one" in names
    assert "two" not in names


def test_a_lazy_target_that_is_missing_says_whose_it_is(
    install: Install,
) -> None:
    install(
        "i2i_lazy",
        "import i2i\n@i2i.hookimpl\ndef register_losses(register):\n"
        "    register('gone', 'i2i_nowhere:Gone')\n",
    )
    with pytest.raises(PluginError, match=r"loss 'gone' of i2i_lazy can't be loaded.*i2i_nowhere"):
        registry().get("loss", "gone").load()


def test_the_public_names_are_there() -> None:
    assert {name for name in i2i.__all__ if getattr(i2i, name) is not None} == set(i2i.__all__)
