"""Converts users' Markdown to HTML that is safe to show on a page."""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup


def html(text: str) -> Markup:
    """Convert Markdown to HTML; HTML in the text is escaped, and images are not loaded."""
    return Markup(_reader().render(text))


@cache
def _reader() -> MarkdownIt:
    # Pages are self-contained: they load no images from elsewhere.
    return MarkdownIt("commonmark", {"html": False}).disable("image")
