"""The drawing canvas: a component of the page, in plain JavaScript."""

from typing import Any

import gradio as gr

from i2i.demo.assets import template
from i2i.demo.surface import Surface


def canvas(surface: Surface, *, elem_id: str) -> gr.HTML:
    """A canvas of a surface's size with its brushes.

    Its value is the drawing as the data URL of a PNG, empty while nothing is drawn; a picture that
    it is given is painted onto it. It tells of every change with the event `drawn` while the
    checkbox `#live` is on.
    """
    brushes = surface.brushes
    # Names come from a model file: the script makes text of them; a template would run them.
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
