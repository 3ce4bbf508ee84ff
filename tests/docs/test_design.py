"""The design page names every module of the package."""

from pathlib import Path

import pytest

import i2i
from tests.conftest import ROOT

PACKAGE = Path(i2i.__file__).parent
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_it_says_what_is_in_each_room(room: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("|") and f"`{room}/`" in line)
    modules = [file.name for file in (PACKAGE / room).glob("*.py") if file.stem[0] != "_"]
    if room != "cli":  # a module for each command
        assert [name for name in modules if f"`{name}`" not in row] == []
