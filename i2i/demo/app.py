"""The page: a canvas on the left, the model's translation on the right.

Tests and scripts can rely on these ids:

| id | element |
|---|---|
| `#draw-canvas` | the canvas with its tools: `[data-tool=pen]`, `rectangle`, `eraser`; `[data-action=undo]`, `redo`, `clear`; `.swatches button`, one for each class |
| `#translate` | the button that translates |
| `#live` | the checkbox that translates after each stroke |
| `#samples` | the number of translations, if the model has dropout noise |
| `#upload` | the button that opens the user's picture |
| `#examples` | a button for each example |
| `#output` | the translations: for each an `img` and a link that saves it |
| `#message` | the last error, until the next success |
| `#card` | the description of the model |
"""  # noqa: E501

import html
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from i2i.demo.answers import MAX_SAMPLES, Answers, problem
from i2i.demo.assets import template
from i2i.demo.canvas import canvas
from i2i.demo.card import card
from i2i.demo.examples import Example, examples
from i2i.demo.limits import BodyLimit
from i2i.demo.surface import Surface, data_url
from i2i.errors import I2IError
from i2i.images import resize
from i2i.images.sizes import size_text
from i2i.model.model import Model
from i2i.runs.loading import load

MAX_WAITING = 16
"""Longest queue of drawings; further users are asked to try again."""

MAX_UPLOAD = 10.0
"""Largest uploaded file, in megabytes."""

MEGABYTE = 1_000_000

_PREVIEW = 112
"""Side of an example's preview in pixels, twice the size on the page."""

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "Menlo", "Consolas", "monospace")


def build(model: Model, *, max_upload: float = MAX_UPLOAD) -> gr.Blocks:
    """Build the page of a model without serving it.

    Args:
        model: The model.
        max_upload: Largest uploaded file, in megabytes.

    Raises:
        I2IError: If the model's inputs can't be drawn or its outputs can't be shown.
    """
    if model.data.target.channels not in (1, 3):
        raise I2IError(
            f"images of {model.data.target.channels} channels can't be shown: the demo needs a "
            "model that outputs grey or colour images"
        )
    surface = Surface(model)
    starts = examples(model, surface)
    answers = Answers(model, surface, starts, int(max_upload * MEGABYTE))
    page = _Page(
        title=f"{model.recipe.name} · i2i", analytics_enabled=False, delete_cache=(3600, 3600)
    )
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
                    info="Dropout is this model's noise: each sample is a different translation.",
                    visible=model.recipe.test.dropout,
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
    page.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)
    return page


def launch(
    model: Model,
    *,
    host: str | None = "127.0.0.1",
    port: int | None = None,
    max_upload: float = MAX_UPLOAD,
    started: Callable[[str], None] = print,
) -> None:
    """Serve the page of a model until Ctrl-C.

    Args:
        model: The model.
        host: Address to listen on; None uses `GRADIO_SERVER_NAME`, or else this machine only.
        port: Port to listen on; 0 takes any free port, and None uses `GRADIO_SERVER_PORT`, or else
            the first free port from 7860.
        max_upload: Largest uploaded file, in megabytes.
        started: Called with the page's address once the page is served.

    Raises:
        I2IError: If `build` raises it, or the port is taken.
    """
    page = build(model, max_upload=max_upload)
    limit = int(max_upload * MEGABYTE)
    # A drawing is sent as a request, too. A megabyte is added for the form around a file.
    body_limit = max(limit, Surface(model).max_drawing) + MEGABYTE
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=_free_port(host or "127.0.0.1") if port == 0 else port,
            max_file_size=limit,
            app_kwargs={"middleware": [Middleware(BodyLimit, limit=body_limit)]},
            theme=_theme(),
            css=template("page.css"),
            footer_links=[],
            share=False,
            quiet=True,
            inbrowser=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            run_history=False,
            enable_monitoring=False,
            prevent_thread_lock=True,
        )
    except OSError as error:
        where = f"port {port}" if port else "a port"
        # Gradio's own errors have no error number, and suggest settings that i2i doesn't have.
        why = f" ({error.strerror})" if error.strerror else ""
        raise I2IError(f"{where} can't be listened on{why}; --port 0 takes a free one") from error
    started(address)
    page.block_thread()


def launch_space(folder: Path) -> None:
    """Serve the model in a Space's folder; the environment sets host and port."""
    launch(load(folder / "model.safetensors"), host=None)


class _Page(gr.Blocks):
    """A page that answers invalid values, which its own script never sends, with one sentence."""

    async def preprocess_data(self, *arguments: Any, **known: Any) -> Any:
        """Convert the values of a request to the arguments of functions."""
        try:
            return await super().preprocess_data(*arguments, **known)
        except Exception as error:  # each component raises its own errors
            message = "the request is not valid: load the page again"
            raise gr.Error(message, print_exception=False) from error


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


def _theme() -> gr.themes.Base:
    """The page's colours, and fonts of the user's system, so that nothing is downloaded."""
    theme = gr.themes.Default(
        primary_hue="blue", neutral_hue="slate", font=_FONT, font_mono=_MONO, radius_size="lg"
    )
    primary = {"": "*primary_600", "_hover": "*primary_700"}
    colours = {
        f"button_primary_background_fill{state}{mode}": colour
        for state, colour in primary.items()
        for mode in ("", "_dark")
    }
    return theme.set(
        **colours, body_text_color_subdued="*neutral_500", checkbox_border_radius="4px"
    )


def _free_port(host: str) -> int:
    with socket.socket() as taken:
        taken.bind((host, 0))
        return int(taken.getsockname()[1])
