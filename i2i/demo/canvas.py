"""The drawing canvas, a component of the page in plain JavaScript."""

from typing import Any

from i2i.demo.assets import template
from i2i.demo.gradio import gr
from i2i.demo.surface import Surface


def canvas(surface: Surface, *, elem_id: str) -> gr.HTML:
    """Create a canvas with the size and brushes of a surface.

    Its value is the drawing as the data URL of a PNG, or empty while nothing is drawn. Setting the
    value paints that picture onto the canvas. While the checkbox `#live` is on, every change
    triggers the event `drawn`.
    """
    brushes = surface.brushes
    # Class names come from a model file and may contain HTML or template code. The script inserts
    # them as text only; a template would run them.
    setup: dict[str, Any] = {
        "canvas_size": surface.size,
        "background": brushes.background,
        "colours": [{"name": name, "rgb": rgb} for name, rgb in brushes.colours.items()],
        "labels": brushes.labels,
        "width": brushes.width,
    }
    return gr.HTML(
        "",
        html_template=template("canvas.html"),
        css_template=template("canvas.css"),
        js_on_load=template("canvas.js"),
        apply_default_css=False,
        elem_id=elem_id,
        setup=setup,
    )
