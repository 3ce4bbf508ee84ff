"""`i2i plugin new`: what it writes can be installed, trains, and passes its own checks."""

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from i2i.cli import program
from i2i.plugins.manager import registry
from i2i.plugins.new import LONGEST, requirement
from i2i.plugins.registry import COMPONENTS, KINDS
from i2i.system.version import __version__
from tests.conftest import ROOT
from tests.plugins.conftest import describe

NAMES = {kind: f"my-{kind}" for kind in KINDS}


def new(*arguments: object) -> Result:
    return CliRunner().invoke(program, ["plugin", "new", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    result = new(*arguments)
    assert result.exit_code == 1
    message = str(result.exception)
    assert "\n" not in message
    return message


def python(*arguments: object, folder: Path, path: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder; it imports from a path before anything else."""
    every = os.pathsep.join(map(str, [*path, ROOT]))
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": every, "MYPYPATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A package of each kind, importable as if it were installed."""
    home = tmp_path_factory.mktemp("packages")
    folders = {}
    for kind, name in NAMES.items():
        folders[kind] = home / f"i2i-{name}"
        assert new(name, "--kind", kind, "--out", folders[kind]).exit_code == 0
        describe(folders[kind], f"i2i-{name}", f"i2i_my_{kind}")
    return folders


@pytest.fixture
def installed(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for folder in packages.values():
        monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    registry.cache_clear()
    yield
    registry.cache_clear()
    for name in [name for name in sys.modules if name.startswith("i2i_my_")]:
        del sys.modules[name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("installed")
def test_its_recipe_trains(packages: dict[str, Path], kind: str, tmp_path: Path) -> None:
    arguments = ["run", str(packages[kind] / "recipe.toml"), "--out", str(tmp_path / "run")]
    arguments += ["--max-steps", "2", "--set", "data.train=4", "--set", "data.test=2", "--quiet"]
    result = CliRunner().invoke(program, arguments)
    assert result.exit_code == 0, result.output
    recipe = (tmp_path / "run/recipe.toml").read_text()
    metrics = json.loads((tmp_path / "run/evaluation/metrics.json").read_text())
    if kind == "command":
        result = CliRunner().invoke(program, ["my-command", str(tmp_path / "run")])
        assert re.fullmatch(r"unet: [\d,]+ weights\n", result.output)
    elif kind == "metric":
        assert "my_metric" in str(metrics)
    else:
        assert f'type = "my_{kind}"' in recipe


@pytest.mark.parametrize("kind", COMPONENTS)
@pytest.mark.usefixtures("installed")
def test_show_documents_its_component(kind: str) -> None:
    result = CliRunner().invoke(program, ["show", kind, f"my_{kind}"])
    assert result.exit_code == 0, result.output
    assert f"a {kind} of i2i-my-{kind}" in result.output


def test_ruff_finds_nothing_whatever_the_length_of_the_name(
    packages: dict[str, Path], tmp_path: Path
) -> None:
    folders = [*packages.values()]
    for kind in KINDS:
        for letter, length in (("a", 1), ("z", LONGEST)):
            folders.append(tmp_path / f"{kind}-{length}")
            assert new(letter * length, "--kind", kind, "--out", folders[-1]).exit_code == 0
    for arguments in (["check"], ["format", "--check", "--diff"]):
        done = python("-m", "ruff", *arguments, "--no-cache", *folders, folder=tmp_path, path=[])
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_tests_of_the_component_pass(packages: dict[str, Path], tmp_path: Path) -> None:
    done = own_tests(packages, tmp_path, "-k", "not trains and not contract")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_all_its_tests_pass(packages: dict[str, Path], tmp_path: Path) -> None:
    done = own_tests(packages, tmp_path)
    assert done.returncode == 0, done.stdout


def own_tests(
    packages: dict[str, Path], folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run the tests of all packages with the settings that each of them has."""
    settings = packages["loss"] / "pyproject.toml"
    tests = [package / "tests" for package in packages.values()]
    path = [*packages.values()]
    return python(
        "-m", "pytest", "-p", "no:cacheprovider", "-c", settings, *arguments, *tests,
        folder=folder, path=path,
    )  # fmt: skip


@pytest.mark.slow
def test_mypy_finds_nothing(packages: dict[str, Path], tmp_path: Path) -> None:
    settings = packages["loss"] / "pyproject.toml"
    files = [file for package in packages.values() for file in package.glob("*/*.py")]
    done = python(
        "-m", "mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", *files,
        folder=tmp_path, path=[*packages.values()],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_pip_installs_it_and_the_program_finds_it(
    packages: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("hatchling", reason="needs hatchling")
    site = tmp_path / "site"
    pip = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "--target", site]
    assert python(*pip, packages["loss"], folder=tmp_path, path=[]).returncode == 0
    recipe = packages["loss"] / "recipe.toml"
    done = python("-m", "i2i", "run", recipe, folder=tmp_path, path=[site])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs/my_loss/report.html").is_file()


def test_the_commands_that_it_prints_lead_to_a_trained_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = new("sharpen")
    assert result.output.split("\n", 2)[2].splitlines() == [
        "  cd i2i-sharpen",
        '  pip install -e ".[dev]"',
        "  i2i run recipe.toml",
        "  pytest",
    ]
    assert (tmp_path / "i2i-sharpen/i2i_sharpen/generator.py").is_file()
    assert (tmp_path / "i2i-sharpen/.github/workflows/ci.yml").is_file()


def test_the_package_requires_the_versions_of_i2i_that_it_was_made_for(
    packages: dict[str, Path],
) -> None:
    project = tomllib.loads((packages["loss"] / "pyproject.toml").read_text())["project"]
    assert requirement(__version__) in project["dependencies"]
    assert requirement("0.1.4") == "i2i>=0.1,<0.2"
    assert requirement("2.3.0") == "i2i>=2.3,<3"


def test_a_folder_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "already exists" in refusal("sharpen", "--out", tmp_path)
    assert "already exists" in refusal("sharpen", "--out", tmp_path / "mine.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "mine.txt").unlink()
    assert new("sharpen", "--out", tmp_path).exit_code == 0


@pytest.mark.parametrize(
    "name", ["", "My-Net", "2fast", "a--b", "a-", "é", "a b", "../up", "a.b", "a\n", "a" * 25]
)
def test_an_invalid_name_is_refused(name: str, tmp_path: Path) -> None:
    result = new("--out", tmp_path / "out", "--", name)
    assert result.exit_code == 1
    assert "can't be the name of a plugin" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("unet", "generator", "i2i.generators already has the generator 'unet'"),
        ("timm-unet", "generator", "already has the generator 'timm_unet'"),
        ("run", "command", "i2i.cli already has the command 'run'"),
        ("i2i-sharpen", "loss", "leave out i2i"),
    ],
)
def test_a_name_that_is_taken_is_refused(tmp_path: Path, name: str, kind: str, reason: str) -> None:
    assert reason in refusal(name, "--kind", kind, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_may_be_that_of_another_kind(tmp_path: Path) -> None:
    assert new("unet", "--kind", "loss", "--out", tmp_path / "out").exit_code == 0


@pytest.mark.usefixtures("installed")
def test_the_package_of_an_installed_plugin_is_not_shadowed(tmp_path: Path) -> None:
    message = refusal("my-loss", "--kind", "metric", "--out", tmp_path / "out")
    assert message == "a package i2i_my_loss is already installed: choose another name"
