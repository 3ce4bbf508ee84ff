"""Texts of studies on their page: Markdown, and nothing that isn't safe to show."""

import pytest

from i2i.report import markdown


def test_paragraphs_and_marks() -> None:
    html = markdown.html("One *word*,\n**more** and `code`.\n\nTwo < three & *four")
    assert html == (
        "<p>One <em>word</em>,\n<strong>more</strong> and <code>code</code>.</p>\n"
        "<p>Two &lt; three &amp; *four</p>\n"
    )
    assert markdown.html(" \n") == ""


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b onclick='x'>word</b>",
        "[x](javascript:alert(1))",
        "![x](http://127.0.0.1/pixel.png)",
        "<img src=x>",
        "`<script>`",
        "<!-- -->",
    ],
)
def test_nothing_runs_or_is_fetched(text: str) -> None:
    html = markdown.html(text)
    for part in ("<script", "<b", "<img", 'javascript:alert(1)"', "<!--"):
        assert part not in html, html
