"""How pages are made: one self-contained HTML file each, from a template."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from i2i.images import png_bytes
from i2i.images.types import Array


def render(template: str, **values: Any) -> str:
    """The page that a template of `templates/` makes of values."""
    templates = Environment(
        loader=PackageLoader("i2i.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template(template).render(**values)


def file_uri(path: Path) -> str | None:
    """A PNG file as an address that holds it; None if it isn't there."""
    return _uri("image/png", path.read_bytes()) if path.exists() else None


def png_uri(image: Array) -> str:
    """An image as an address that holds it."""
    return _uri("image/png", png_bytes(image))


def svg_uri(svg: str) -> str:
    """A drawing as an address that holds it."""
    return _uri("image/svg+xml", svg.encode())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
