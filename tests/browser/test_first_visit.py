"""The demo's page in a real Chromium, in short; `test_demo_in_a_browser.py` is the long tour."""

import pytest

pytest.importorskip("gradio", reason="needs the extra demo: pip install 'i2i[demo]'")
pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'i2i[dev]'")

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.xdist_group("browser")


def test_the_page_loads_without_complaints_and_asks_nobody_else(
    visitor: Visitor, facades_page: str
) -> None:
    visitor.draw_facade()
    (output,) = visitor.translate()
    assert output.std() >= 1
    assert visitor.complaints == []
    assert all(address.startswith((facades_page, "data:")) for address in visitor.hosts)
