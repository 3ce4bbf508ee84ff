"""Markdown in texts of users' as HTML that a page can show."""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup


def html(text: str) -> Markup:
    """A text in Markdown as HTML; HTML in it is shown as it stands, and nothing is fetched."""
    return Markup(_reader().render(text))


@cache
def _reader() -> MarkdownIt:
    # A page is whole on its own: it loads no images from elsewhere.
    return MarkdownIt("commonmark", {"html": False}).disable("image")
