"""Files of a run that a power cut, another program or a hand has changed: one line, never more."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from i2i.cli import main
from tests.conftest import tiny

FILES = (
    "recipe.toml",
    "environment.json",
    "metrics.jsonl",
    "evaluation/metrics.json",
    "checkpoints/step-00000006/manifest.json",
    "checkpoints/step-00000006/model.safetensors",
    "checkpoints/step-00000006/training.pt",
    "samples/step-00000006",
    "evaluation/samples/output",
)

COMMANDS = {
    "report": ("report", "r"),
    "eval": ("eval", "r", "--metric", "l2"),
    "compare": ("compare", "r", "r"),
    "resume": ("run", "recipe.toml", "--out", "r", "--resume", "--quiet"),
    "demo": ("demo", "r", "--space", "space"),
}

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "list": lambda _: b"[]",
    "numbers": lambda _: b'{"details": 5, "data": 3, "step": 1, "sha256": "x", "name": 5}',
    "nested": lambda _: b'{"a":' * 5000,
    "latin": lambda content: content.replace(b"tiny", b"t\xefny").replace(b"l1", b"\xff1"),
}


def file_of(run: Path, name: str) -> Path:
    path = run / name
    return next(path.glob("*.png")) if path.is_dir() else path


@pytest.fixture
def copied(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(tiny()))

    def copy() -> Path:
        shutil.rmtree(tmp_path / "r", ignore_errors=True)
        return Path(shutil.copytree(trained, tmp_path / "r"))

    return copy


def outcome(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """The exit status and the errors; a traceback would end the test."""
    with pytest.raises(SystemExit) as ended:
        main(command)
    return ended.value.code or 0, capsys.readouterr().err


def check(run: Path, name: str, status: object, errors: str) -> None:
    assert status in (0, 1, 2), errors
    if status:
        assert file_of(run, name).name in errors, errors
        assert len(errors) < 2000, errors


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore:left out of the report")
def test_every_damage_is_survived_or_told_with_the_file(
    copied: Callable[[], Path], capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    if command == "demo":
        pytest.importorskip("gradio", reason="needs the extra demo: pip install 'i2i[demo]'")
    kind = (FILES.index(name) + list(COMMANDS).index(command)) % len(DAMAGES)
    run = copied()
    file = file_of(run, name)
    file.write_bytes(list(DAMAGES.values())[kind](file.read_bytes()))
    check(run, name, *outcome(COMMANDS[command], capsys))


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.filterwarnings("ignore:left out of the report")
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(FILES), st.integers(0, 10_000_000), st.binary(max_size=20), st.booleans())
def test_random_damage_is_survived_or_told_with_the_file(
    copied: Callable[[], Path],
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    place: int,
    other: bytes,
    cut: bool,
) -> None:
    run = copied()
    file = file_of(run, name)
    content = file.read_bytes()
    place %= len(content)
    file.write_bytes(content[:place] + other + (b"" if cut else content[place + len(other) :]))
    check(run, name, *outcome(COMMANDS[command], capsys))


def test_the_advice_about_a_damaged_file_can_be_taken(
    copied: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied()
    for name in ("environment.json", "recipe.toml"):
        (run / name).write_text("{")
        status, errors = outcome(COMMANDS["resume"], capsys)
        assert status != 0
        assert f"{name}" in errors
        assert "delete it" in errors
        (run / name).unlink()
        assert outcome(COMMANDS["resume"], capsys)[0] == 0
    assert json.loads((run / "environment.json").read_text())["data"]["fingerprint"]
    (run / "evaluation/metrics.json").write_text("")
    assert outcome(COMMANDS["report"], capsys)[0] == 1
    assert outcome(COMMANDS["eval"], capsys)[0] == 0
    assert outcome(COMMANDS["report"], capsys)[0] == 0


def test_a_cut_last_line_of_the_log_is_left_out(
    copied: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied()
    log = run / "metrics.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:-10])
    assert outcome(COMMANDS["report"], capsys)[0] == 0
    assert outcome(COMMANDS["resume"], capsys)[0] == 0
    assert all("step" in json.loads(line) for line in log.read_text().splitlines())
