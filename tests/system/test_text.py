"""Texts on consoles: nothing in them controls a terminal, and every console can show them."""

import io
import json
import logging
import sys
import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from i2i.system.text import document, printable, show_anything, shown

ENCODINGS = st.sampled_from(["ascii", "cp1252", "latin-1", "cp437", "shift_jis", "utf-8", "utf-16"])
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("plain, é, ×, 絵 and 🎨", "plain, é, ×, 絵 and 🎨"),
        ("two\r\nlines\ttab", r"two\r\nlines\ttab"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("gnp\u202e.exe", r"gnp\u202e.exe"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("na\udcefve", r"na\udcefve"),
    ],
)
def test_what_could_control_a_terminal_is_escaped_and_the_rest_stays(
    name: str, escaped: str
) -> None:
    assert printable(name) == escaped


@given(st.text(), ENCODINGS)
def test_every_text_can_be_shown_in_every_encoding(text: str, encoding: str) -> None:
    line = shown(text, encoding)
    assert line.encode(encoding).decode(encoding) == line
    assert line.isprintable()


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("utf-8", "psnr ↑ ∞ ± 0.1, 2 × 3 …, é"),
        ("cp1252", "psnr ^ inf ± 0.1, 2 × 3 …, é"),
        ("latin-1", "psnr ^ inf ± 0.1, 2 × 3 ..., é"),
        ("ascii", r"psnr ^ inf +/- 0.1, 2 x 3 ..., \xe9"),
        (None, "psnr ↑ ∞ ± 0.1, 2 × 3 …, é"),
    ],
)
def test_signs_that_a_console_lacks_become_ascii(encoding: str | None, line: str) -> None:
    assert shown("psnr ↑ ∞ ± 0.1, 2 × 3 …, é", encoding) == line


@given(st.dictionaries(NAMES, NAMES, max_size=3), st.sampled_from(["ascii", "cp1252", "utf-8"]))
def test_documents_read_the_same_in_every_encoding(content: dict[str, str], encoding: str) -> None:
    toml = document(tomli_w.dumps(content), encoding)
    assert tomllib.loads(toml.encode(encoding).decode("utf-8")) == content
    text = document(json.dumps(content, indent=2), encoding)
    assert json.loads(text.encode(encoding).decode("utf-8")) == content
    assert all(line.isprintable() for line in (toml + text).split("\n"))


def test_what_others_print_ends_in_no_error_either(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    show_anything()
    sys.stdout.write("a → b, \udcff\n")
    sys.stdout.flush()
    assert raw.getvalue().splitlines() == [rb"a -> b, \udcff"]


def test_log_messages_are_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's
    show_anything()
    logging.getLogger("i2i.weights").warning("%s; fetching it again", "a\nb\x1b[2J")
    logging.getLogger("another").warning("first\n%s", "second\x1b[2J")
    lines = [r"a\nb\x1b[2J; fetching it again", "first", r"second\x1b[2J"]
    assert capsys.readouterr().err.splitlines() == lines
