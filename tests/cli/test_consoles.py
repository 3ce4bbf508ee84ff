"""What the program prints, on consoles of every encoding and about names of every kind."""

import importlib
import io
import json
import os
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from i2i.cli import main
from i2i.plugins.manager import registry
from tests.conftest import tiny
from tests.terminal import on_a_terminal

NASTY = "a\x1b[31m\nb\u202e\udce9"
ESCAPED = r"a\x1b[31m\nb\u202e\udce9"
Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """Run the program with consoles of an encoding; status, output and errors."""

    def run(*arguments: object, encoding: str = "utf-8") -> tuple[int, str, str]:
        written = io.BytesIO(), io.BytesIO()
        with monkeypatch.context() as patch, warnings.catch_warnings():
            for raw, name in zip(written, ("stdout", "stderr"), strict=True):
                patch.setattr(sys, name, io.TextIOWrapper(raw, encoding, write_through=True))
            patch.setattr(warnings, "formatwarning", warnings.formatwarning)
            with pytest.raises(SystemExit) as end:
                main([str(argument) for argument in arguments])
            out, err = (raw.getvalue().decode(encoding) for raw in written)
        return int(end.value.code or 0), out, err

    return run


def lines_of(text: str) -> list[str]:
    """The lines, all of which must be harmless."""
    lines = text.replace(os.linesep, "\n").split("\n")
    assert all(line.isprintable() for line in lines), text
    return lines


def nasty(path: Path, name: str = NASTY) -> Path:
    """A path that a file system may refuse."""
    try:
        path.joinpath(name).touch()
    except OSError:
        pytest.skip("this file system doesn't take such names")
    path.joinpath(name).unlink()
    return path / name


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_commands_work_on_every_console(
    program: Program, encoding: str, folder: Callable[..., Path], write_recipe: Callable[..., Path]
) -> None:
    outputs, targets = folder("sorties-é", range(3)), folder("cibles", range(1, 4))
    for arguments in (
        ["list"],
        ["show", "generator", "unet"],
        ["check", write_recipe()],
        ["eval", outputs, "--against", targets, "--metric", "l1", "--metric", "psnr"],
        ["compare", outputs, outputs],
        ["translate", "--help"],
    ):
        status, out, err = program(*arguments, encoding=encoding)
        assert (status, err) == (0, "")
        assert "?" not in out
        lines_of(out)
    table = program("compare", outputs, outputs, encoding=encoding)[1]
    assert ("l1 ↓" if encoding == "utf-8" else "l1 v") in table
    assert ("sorties-\\xe9" if encoding == "ascii" else "sorties-é") in table


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_documents_are_read_back_from_every_console(
    program: Program,
    encoding: str,
    folder: Callable[..., Path],
    write_recipe: Callable[..., Path],
) -> None:
    recipe = write_recipe(data={"type": "folders", "root": "Zürich → 絵 \x7f"})
    resolved = program("check", recipe, "--resolved", encoding=encoding)[1]
    content = tomllib.loads(resolved.encode(encoding).decode("utf-8"))
    assert content["data"]["root"].endswith("Zürich → 絵 \x7f")
    outputs, targets = folder("大", range(2)), folder("t", range(2, 4))
    program("eval", outputs, "--against", targets, "--metric", "l1")
    as_json = program("compare", outputs, outputs, "--json", encoding=encoding)[1]
    assert json.loads(as_json.encode(encoding).decode("utf-8"))["metrics"]["l1"]


@pytest.mark.parametrize(
    "arguments",
    [
        [f"run{NASTY}"],
        ["run", f"{NASTY}.toml"],
        ["check", "recipe.toml", "--set", f"{NASTY[:-1]}=1"],
        ["check", "recipe.toml", "--set", f"generator.{NASTY[:-1]}=1"],
        ["list", NASTY],
        ["show", "loss", NASTY],
        ["eval", NASTY],
        ["eval", NASTY, "--against", NASTY],
        ["compare", NASTY, NASTY],
        ["translate", NASTY, "in.png", "--out", "out"],
        ["export", NASTY, "--to", NASTY],
        ["export", NASTY, "--to", "onnx", f"--{NASTY}"],
        ["demo", NASTY],
        ["report", NASTY],
        ["segmenter", "train", NASTY],
        ["study", f"{NASTY}.toml"],
        ["weights", "fetch", NASTY],
    ],
    ids=" ".join,
)
def test_names_in_errors_are_escaped(
    program: Program, write_recipe: Callable[..., Path], arguments: list[str], tmp_path: Path
) -> None:
    write_recipe()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        status, out, err = program(*arguments)
    assert status in (1, 2)
    lines_of(out)
    (line,) = [line for line in lines_of(err) if r"\x1b" in line]
    assert ESCAPED.partition(r"\u202e")[0] in line


def test_keys_and_values_of_a_recipe_are_escaped(program: Program, tmp_path: Path) -> None:
    import tomli_w

    document = tiny() | {"ke\x1by": 1, "generator": {"type": "un\net\x9b", "o\x07": 2}}
    (tmp_path / "r.toml").write_text(tomli_w.dumps(document))
    status, _, err = program("check", tmp_path / "r.toml")
    assert status == 2
    lines = lines_of(err)
    assert len(lines) == 3, err  # a line for each problem, and the end
    assert any(r"ke\x1by" in line for line in lines)
    assert any(r"un\net\x9b" in line for line in lines)


def test_each_problem_keeps_its_own_line(program: Program, folder: Callable[..., Path]) -> None:
    outputs, targets = folder("outputs", range(3)), folder("targets", range(3))
    for name in ("x\ny.png", "\x1b[2J.png"):
        for home in (outputs, targets):
            nasty(home, name).write_bytes(b"no picture")
    status, _, err = program("eval", outputs, "--against", targets, "--metric", "l1")
    assert status == 2
    lines = lines_of(err.rstrip())
    for escaped in (r"x\ny.png", r"\x1b[2J.png"):
        assert any(escaped in line for line in lines), err
    assert len(lines) >= 2


def test_tables_escape_their_cells(
    program: Program, folder: Callable[..., Path], tmp_path: Path
) -> None:
    outputs, targets = folder("outputs", range(2)), folder("targets", range(2, 4))
    program("eval", outputs, "--against", targets, "--metric", "l1")
    renamed = outputs.rename(nasty(tmp_path))
    status, out, _ = program("compare", renamed, renamed)
    assert status == 0
    assert sum(ESCAPED in line for line in lines_of(out)) == 2


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a plugin with a name, a component and a command that hold escape codes."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def install(code: str) -> None:
        info = tmp_path / "site" / "nasty-1.0.dist-info"
        info.mkdir(parents=True)
        (tmp_path / "site" / "i2i_nasty_names.py").write_text(code)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: na\x1b[5msty\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[i2i]\nnasty = i2i_nasty_names\n")
        importlib.invalidate_caches()
        registry.cache_clear()

    yield install
    registry.cache_clear()
    sys.modules.pop("i2i_nasty_names", None)


def test_plugins_cannot_write_escape_codes_through_their_names(
    program: Program, plugin: Callable[[str], None]
) -> None:
    plugin(r"""
import i2i
@i2i.hookimpl
def register_losses(register):
    register("nasty_loss", "json:loads", summary="summa\x1b[2Jry")
@i2i.hookimpl
def register_commands(register):
    register("nasty_command", "json:loads", summary="summa\u2192ry\x1b[2J")
""")
    _, listed, _ = program("list", "losses")
    assert any(
        "nasty_loss" in line and r"summa\x1b[2Jry" in line and r"[na\x1b[5msty]" in line
        for line in lines_of(listed)
    )
    status, text, _ = program("--help", encoding="cp1252")
    assert status == 0
    assert any("nasty_command" in line and "summa->ry" in line for line in lines_of(text))


def test_a_component_whose_name_could_control_the_terminal_is_refused(
    program: Program, plugin: Callable[[str], None]
) -> None:
    plugin(r"""
import i2i
@i2i.hookimpl
def register_losses(register):
    register("lo\x1b[5mss", "json:loads", summary="a loss")
""")
    status, out, _ = program("doctor")
    assert status == 1
    assert any(r"lo\x1b[5mss" in line for line in lines_of(out))


def test_a_broken_plugin_cannot_write_escape_codes_either(
    program: Program, plugin: Callable[[str], None]
) -> None:
    plugin("raise ValueError('mess\\x1b[2Jage')")
    assert r"na\x1b[5msty" in "".join(lines_of(program("list")[2]))
    status, out, _ = program("doctor")
    assert status == 1
    assert r"ValueError: mess\x1b[2Jage" in lines_of(out)


def test_warnings_are_escaped() -> None:
    code = f"""
import contextlib, warnings
from i2i.cli import check, main
with contextlib.suppress(SystemExit):
    main(["--version"])
warnings.warn_explicit("left out " + {NASTY!a}, UserWarning, check.__file__, 1)
warnings.warn_explicit("theirs\\x1b[2J", UserWarning, "elsewhere.py", 1)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert lines_of(done.stderr.decode().rstrip()) == [
        f"Warning: left out {ESCAPED}",
        r"elsewhere.py:1: UserWarning: theirs\x1b[2J",
    ]


def test_bars_on_a_terminal_escape_their_labels() -> None:
    text = on_a_terminal(
        "-c",
        "from i2i.system.console import Bar, Console\n"
        "console = Console()\n"
        "console.say('one\\x1b]0;title\\x07\\ntwo')\n"
        "console.show(Bar('run\\x1b]0;title\\x07', 1, 2))\n"
        "console.close()\n",
    )
    assert "\x1b]0" not in text
    assert r"one\x1b]0;title\x07\ntwo" in text
    assert r"run\x1b]0;title\x07" in text


def test_a_console_without_unicode_is_written_to_by_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from i2i.system.console import Console

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "cp1252"))
    Console().say("validation psnr ∞", NASTY)
    assert raw.getvalue().decode("cp1252").splitlines() == ["validation psnr inf", ESCAPED]


def test_the_program_works_where_nothing_but_ascii_is_known(
    folder: Callable[..., Path], tmp_path: Path
) -> None:
    outputs, targets = folder("o", range(2)), folder("t", range(2, 4))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "i2i", "eval", outputs, "--against", targets, "--metric", "l1"],
        env=environment,
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"l1 v" in done.stdout
    assert done.stdout.isascii()
