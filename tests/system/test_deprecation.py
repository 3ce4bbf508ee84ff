"""What is deprecated says so, and can't outlive the version that was to remove it."""

import ast
from pathlib import Path

import pytest

import i2i
from i2i.system import deprecation
from i2i.system.deprecation import deprecate


def test_a_deprecation_names_what_to_use_and_when_it_goes() -> None:
    with pytest.warns(FutureWarning, match=r"^old is deprecated and .* in i2i 99\.0: use new$"):
        deprecate("old", "use new", removed_in="99.0")


@pytest.mark.parametrize("version", ["0.3", "0.3.0", "0.4", "1.0", "0.10"])
def test_an_overdue_deprecation_fails(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecation, "__version__", version)
    with pytest.raises(RuntimeError, match=r"was to be removed in i2i 0\.3"):
        deprecate("old", "use new", removed_in="0.3")


def test_nothing_in_the_code_is_overdue() -> None:
    found = [
        keyword.value
        for file in Path(i2i.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "deprecate"
        for keyword in node.keywords
        if keyword.arg == "removed_in"
    ]
    assert found
    for version in found:
        assert isinstance(version, ast.Constant)
        with pytest.warns(FutureWarning):
            deprecate("this", "use that", removed_in=str(version.value))
