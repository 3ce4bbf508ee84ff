"""The page's own HTML, CSS and JavaScript."""

from importlib.resources import files


def template(name: str) -> str:
    """The text of a file in `templates/`."""
    return files("i2i.demo").joinpath("templates", name).read_text(encoding="utf-8")
