"""Rendering of self-contained HTML pages from templates."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from i2i.images import png_bytes
from i2i.images.types import Array


def render(template: str, **values: Any) -> str:
    """Render a template of `templates/` with values."""
    templates = Environment(
        loader=PackageLoader("i2i.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template(template).render(**values)


def file_uri(path: Path) -> str | None:
    """Return a PNG file as a data URI; None if the file does not exist."""
    return _uri("image/png", path.read_bytes()) if path.exists() else None


def png_uri(image: Array) -> str:
    """Return an image as a data URI."""
    return _uri("image/png", png_bytes(image))


def svg_uri(svg: str) -> str:
    """Return an SVG as a data URI."""
    return _uri("image/svg+xml", svg.encode())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
