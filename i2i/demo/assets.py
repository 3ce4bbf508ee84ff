"""The page's HTML, CSS and JavaScript files."""

from importlib.resources import files


def template(name: str) -> str:
    """Read a file in `templates/`."""
    return files("i2i.demo").joinpath("templates", name).read_text(encoding="utf-8")
