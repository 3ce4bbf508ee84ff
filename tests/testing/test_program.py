"""`python -m i2i.testing` and `pytest --pyargs i2i.testing` check what is registered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2i.errors import PluginError
from i2i.plugins.manager import registry
from i2i.plugins.registry import Entry
from i2i.testing.__main__ import main
from i2i.testing.subject import known
from tests.conftest import ROOT
from tests.testing.broken_losses import Loss, Map


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["i2i.testing", "--plugin", "i2i-mine"])


def test_it_prints_a_line_for_each_check_and_a_summary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["i2i.testing", "--kind", "loss", "--name", "l1"])
    assert main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "passed  i2i.losses: loss l1: finite scalar",
        "passed  i2i.losses: loss l1: gradient",
        "passed  i2i.losses: loss l1: minimum",
        "3 passed",
    ]


@pytest.mark.usefixtures("asked")
def test_a_broken_component_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with known(Entry("loss", "mine", Map, "", "i2i-mine")):
        assert main() == 1
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == (
        "failed  i2i-mine: loss mine: finite scalar: loss 'mine' of i2i-mine returns "
        "(1, 3, 64, 64) from forward(): a loss is a scalar tensor"
    )
    assert last == "3 failed"


@pytest.mark.usefixtures("asked")
def test_what_can_not_be_checked_is_skipped_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with known(Entry("loss", "mine", Required, "", "i2i-mine")):
        assert main() == 0
    output = capsys.readouterr().out
    assert "skipped i2i-mine: loss mine: gradient: needs a value for power: give the" in output
    assert output.endswith("3 skipped\n")


class Required(Loss):
    def __init__(self, *, power: int) -> None:
        super().__init__()


@pytest.mark.usefixtures("asked")
def test_a_plugin_that_has_nothing_to_check_is_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main() == 2
    assert "no registered component is selected" in capsys.readouterr().err


@pytest.mark.usefixtures("asked")
def test_a_plugin_that_is_not_loaded_is_an_error_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry().broken, "i2i-mine", PluginError("needs i2i >=9"))
    assert main() == 2
    assert capsys.readouterr().err.startswith("i2i-mine is not loaded: needs i2i >=9; see")


def test_pytest_finds_the_checks_of_everything_that_is_registered(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "i2i.testing", "-q",
         "-k", "losses and l1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
