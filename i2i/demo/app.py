"""The page: a canvas on the left, the model's translation on the right.

Tests and scripts can rely on these ids:

| id | element |
|---|---|
| `#draw-canvas` | the canvas with its tools: `[data-tool=pen]`, `rectangle`, `eraser`; `[data-action=undo]`, `redo`, `clear`; `.swatches button`, one for each class |
| `#translate` | the button that translates |
| `#live` | the checkbox that translates after each stroke |
| `#samples` | the number of translations, if the model draws noise |
| `#upload` | the button that opens the user's picture |
| `#examples` | a button for each example |
| `#output` | the translations: for each an `img` and a link that saves it |
| `#message` | the last error, until the next success |
| `#card` | the description of the model |
"""  # noqa: E501

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from i2i.demo.answers import MAX_SAMPLES, Answers, problem
from i2i.demo.application import application
from i2i.demo.assets import template
from i2i.demo.canvas import canvas
from i2i.demo.card import card
from i2i.demo.examples import Example, examples
from i2i.demo.gradio import gr
from i2i.demo.guard import Hosts
from i2i.demo.page import Page
from i2i.demo.serving import listen, serve, url_of
from i2i.demo.surface import Surface, data_url
from i2i.demo.uploads import upload_folder
from i2i.errors import I2IError
from i2i.images import resize
from i2i.images.sizes import size_text
from i2i.model.model import Model
from i2i.runs.loading import load

MAX_UPLOAD = 10.0
"""Largest uploaded file, in megabytes."""

MEGABYTE = 1_000_000

_PREVIEW = 112
"""Side of an example's preview in pixels, twice the size on the page."""


def build(
    model: Model, *, max_upload: float = MAX_UPLOAD, examples_from: Path | None = None
) -> Page:
    """Build the page of a model without serving it.

    Args:
        model: The model.
        max_upload: Largest uploaded file, in megabytes.
        examples_from: A folder of example inputs; by default those that lie with the model.

    Raises:
        I2IError: If the model's inputs can't be drawn, its outputs can't be shown, an example can't
            be read, or `max_upload` is not a positive number.
    """
    if not 0 < max_upload * MEGABYTE < float("inf"):
        raise I2IError(f"max_upload is {max_upload}: give a number of megabytes above 0")
    if model.data.target.channels not in (1, 3):
        raise I2IError(
            f"images of {model.data.target.channels} channels can't be shown: the demo needs a "
            "model that outputs grey or colour images"
        )
    surface = Surface(model)
    starts = examples(model, surface, examples_from)
    answers = Answers(model, surface, starts, int(max_upload * MEGABYTE))
    page = Page(f"{model.recipe.name} · i2i", answers.max_upload, surface.max_drawing)
    with page:
        _html(_heading(model), "heading")
        with gr.Row(elem_id="columns"):
            with gr.Column(min_width=320):
                drawing = canvas(surface, elem_id="draw-canvas")
                with gr.Row(elem_id="actions"):
                    button = gr.Button("Translate", variant="primary", elem_id="translate")
                    gr.Checkbox(False, label="Live", container=False, elem_id="live")
                    upload = gr.UploadButton("Open a picture", elem_id="upload")
                message = _html("", "message", "message.js", limit=answers.max_upload)
                chooser = _html(_choices(starts), "examples", "examples.js")
            with gr.Column(min_width=320):
                output = _html(answers.nothing(), "output")
                samples = gr.Slider(
                    1,
                    MAX_SAMPLES,
                    value=1,
                    step=1,
                    label="Samples",
                    info="The model draws noise: each sample is a different translation.",
                    visible=answers.stochastic,
                    elem_id="samples",
                )
        _html(card(model), "card")

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        translated = {
            "fn": _with_message(answers.translate),
            "inputs": [drawing, samples],
            "outputs": [output, message],
            "concurrency_id": "model",
        }
        gr.on(
            [button.click, samples.release],
            **translated,
            **quiet | {"show_progress": "minimal"},
            show_progress_on=output,
        )
        drawing.drawn(**translated, **quiet, trigger_mode="always_last")
        painted = [drawing, message]
        upload.upload(_with_message(answers.open), upload, painted, **quiet)

        def chosen(event: gr.EventData) -> tuple[Any, str]:
            data = event._data  # the event's attributes fail if this is not a dictionary
            index = data.get("index") if isinstance(data, dict) else None
            return _with_message(answers.choose)(index)

        chooser.chosen(chosen, None, painted, **quiet)
    page.limit_queue()
    return page


def launch(
    model: Model,
    *,
    host: str | None = "127.0.0.1",
    port: int | None = None,
    max_upload: float = MAX_UPLOAD,
    examples_from: Path | None = None,
    allowed_hosts: Sequence[str] = (),
    started: Callable[[str], None] = print,
) -> None:
    """Serve the page of a model until SIGINT (Ctrl-C) or SIGTERM.

    Args:
        model: The model.
        host: Address to listen on; None uses `GRADIO_SERVER_NAME`, or else this machine only.
        port: Port to listen on; 0 takes any free port, and None uses `GRADIO_SERVER_PORT`, or else
            the first free port from 7860.
        max_upload: Largest uploaded file, in megabytes.
        examples_from: A folder of example inputs; by default those that lie with the model.
        allowed_hosts: More names that browsers reach the page by, such as that of a proxy.
        started: Called with the page's address once the page is served.

    Raises:
        I2IError: If `build` raises it, the host is not this machine, or the port is taken.
    """
    names = [*allowed_hosts, *([host] if host else [])]
    with upload_folder() as uploads, listen(host, port) as listening:
        page = build(model, max_upload=max_upload, examples_from=examples_from)
        app = application(page, Hosts(listening, names), uploads)
        serve(app, listening, lambda: started(url_of(listening)))


def launch_space(folder: Path) -> None:
    """Serve the model in a Space's folder; the environment sets host and port."""
    launch(load(folder / "model.safetensors"), host=None)


def _with_message(answer: Callable[..., str]) -> Callable[..., tuple[Any, str]]:
    """Return the answer and an empty message; after an error, keep the output and set a message."""

    def answered(*arguments: Any) -> tuple[Any, str]:
        try:
            return answer(*arguments), ""
        except I2IError as error:
            return gr.skip(), problem(error)

    return answered


def _html(value: str, elem_id: str, script: str | None = None, **known: Any) -> gr.HTML:
    return gr.HTML(
        value,
        js_on_load=template(script) if script else None,
        apply_default_css=False,
        elem_id=elem_id,
        **known,
    )


def _heading(model: Model) -> str:
    return (
        f"<h1>{html.escape(model.recipe.name)}</h1><p>Draw on the left; the model's translation "
        f"appears on the right. The model was trained on {html.escape(model.recipe.data.type)} at "
        f"{size_text(model.recipe.augment.crop)}.</p>"
    )


def _choices(found: list[Example]) -> str:
    if not found:
        return ""
    buttons = []
    for i, example in enumerate(found):
        height, width = example.canvas.shape[:2]
        scale = _PREVIEW / max(height, width)
        small = resize(example.canvas, (round(height * scale), round(width * scale)))
        name = html.escape(f"Example {i + 1}: {example.name}")
        buttons.append(
            f'<button type="button" data-index="{i}" title="{name}" aria-label="{name}">'
            f'<img src="{data_url(small)}" alt=""></button>'
        )
    return f'<div class="examples"><h2>Examples</h2>{"".join(buttons)}</div>'
