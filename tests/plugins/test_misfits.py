"""Plugins for another version of i2i, and plugins with the same names."""

import pytest
from click.testing import CliRunner

from i2i.cli import program
from i2i.errors import PluginError, RecipeError
from i2i.plugins.manager import registry
from i2i.recipe import parse_recipe
from i2i.system.version import __version__
from tests.conftest import tiny
from tests.plugins.conftest import GOOD, Install

NEEDS = (
    f"needs i2i <9,>=8, this is {__version__}: pip install --upgrade i2i_old, "
    "or install a fitting i2i"
)
CLASH = (
    "generator 'swirl' is registered twice: by i2i_one and by i2i_two, which is not loaded: "
    "uninstall one of the two, or name the plugins to load in I2I_LOAD_PLUGINS"
)


def doctor() -> str:
    result = CliRunner().invoke(program, ["doctor"])
    assert result.exit_code == 1
    return result.output


def test_a_plugin_for_another_version_is_not_even_imported(install: Install) -> None:
    install("i2i_old", "raise RuntimeError('imported')", requires=["i2i>=8,<9", "torch"])
    install("i2i_good", GOOD.format(name="identity"))
    assert str(registry().broken["i2i_old"]) == NEEDS
    assert "identity" in registry().names("generator")


def test_doctor_says_which_version_a_plugin_needs_without_a_traceback(install: Install) -> None:
    install("i2i_old", "", requires=["i2i>=8,<9"])
    output = doctor()
    assert f"plugin 'i2i_old' is not loaded:\n{NEEDS}\n" in output
    assert "Traceback" not in output


def test_a_recipe_that_names_its_component_says_which_version_it_needs(install: Install) -> None:
    install("i2i_old", GOOD.format(name="swirl"), requires=["i2i>=8,<9"])
    with pytest.raises(RecipeError) as caught:
        parse_recipe(tiny(generator={"type": "swirl"}))
    (line,) = caught.value.problems
    assert f"not loaded: i2i_old ({NEEDS})" in line


@pytest.mark.parametrize(
    "requires",
    [
        [],
        ["torch"],
        [f"i2i=={__version__}"],
        [f"I2I (>={__version__},<9)"],
        ["i2i>=9; extra == 'future'"],
        ["i2i>=9; python_version < '3'"],
        ["i2i-cyclegan>=9"],
        ["not a requirement"],
    ],
)
def test_a_plugin_that_fits_or_says_nothing_is_loaded(
    install: Install, requires: list[str]
) -> None:
    install("i2i_good", GOOD.format(name="identity"), requires=requires)
    assert "identity" in registry().names("generator")


def test_strict_plugins_raise_on_another_version(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("I2I_STRICT_PLUGINS", "1")
    install("i2i_old", "", requires=["i2i>=8,<9"])
    with pytest.raises(PluginError) as caught:
        registry()
    assert str(caught.value) == f"plugin 'i2i_old' failed to load: {NEEDS}"


def test_two_plugins_with_one_name_are_told_by_doctor(install: Install) -> None:
    install("i2i_one", GOOD.format(name="swirl"))
    install("i2i_two", GOOD.format(name="swirl"))
    assert registry().get("generator", "swirl").plugin == "i2i_one"
    output = doctor()
    assert f"plugin 'i2i_two' is not loaded:\n{CLASH}\n" in output
    assert "Traceback" not in output


def test_a_recipe_that_names_what_two_plugins_have_warns(install: Install) -> None:
    install("i2i_one", GOOD.format(name="swirl"))
    install("i2i_two", GOOD.format(name="swirl"))
    with pytest.warns(UserWarning, match="registered twice") as caught:
        parse_recipe(tiny(generator={"type": "swirl"}))
    assert {str(each.message) for each in caught} == {CLASH}


def test_a_recipe_of_other_components_does_not_warn(
    install: Install, recwarn: pytest.WarningsRecorder
) -> None:
    install("i2i_one", GOOD.format(name="swirl"))
    install("i2i_two", GOOD.format(name="swirl"))
    parse_recipe(tiny())
    assert not recwarn.list


@pytest.mark.parametrize("second", ["i2i_two", "i2i-two"])
def test_a_variable_chooses_between_plugins_by_the_names_that_the_message_has(
    install: Install, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    install("i2i_one", GOOD.format(name="swirl"))
    install("i2i_two", GOOD.format(name="swirl"), name=second)
    monkeypatch.setenv("I2I_LOAD_PLUGINS", second)
    assert registry().get("generator", "swirl").plugin == second
    assert not registry().broken


def test_every_name_that_clashes_has_a_line(install: Install) -> None:
    two = GOOD.format(name="swirl") + '    register("unet", Identity)\n'
    install("i2i_one", GOOD.format(name="swirl"))
    install("i2i_two", two)
    error = registry().broken["i2i_two"]
    assert str(error).split("\n") == [
        CLASH,
        "generator 'unet' is registered twice: by i2i.generators and by i2i_two, which is not "
        "loaded: uninstall i2i_two, or have its component renamed",
    ]
    with pytest.warns(UserWarning, match="by i2i.generators and by i2i_two"):
        parse_recipe(tiny())
