"""The code of the page about plugins runs."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


def test_the_tests_under_test_your_plugin_pass() -> None:
    pytest.importorskip("i2i_example", reason="needs plugins/i2i-example")
    section = PAGE.partition("\n## Test your plugin\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    tests: list[Callable[[], None]] = [
        value for name, value in names.items() if name.startswith("test_")
    ]
    assert tests
    for test in tests:
        test()
