"""The page as a web application, with its limits and security headers."""

import os
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware

from i2i.demo.assets import template
from i2i.demo.gradio import gr
from i2i.demo.guard import HUGGING_FACE, Guard, Hosts
from i2i.demo.limits import BodyLimit, UploadLimit
from i2i.demo.page import Page

_FORM = 1_000_000
"""Bytes of the form around an uploaded file, at most."""

_WAITING_UPLOADS = 20
"""Uploads of the largest size that may wait to be read."""

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "Menlo", "Consolas", "monospace")


def application(page: Page, hosts: Hosts, uploads: Path) -> FastAPI:
    """Everything that is served: the page, its limits and its security headers.

    Args:
        page: From `build`.
        hosts: The names that browsers reach the page by.
        uploads: The folder of uploaded files.
    """
    on_a_space = "SPACE_ID" in os.environ  # then only Hugging Face's proxy can connect
    app = FastAPI(
        openapi_url=None,
        middleware=[
            Middleware(
                Guard,
                hosts=None if on_a_space else hosts,
                embedded_in=HUGGING_FACE if on_a_space else (),
            ),
            # A drawing is sent as a request, too.
            Middleware(BodyLimit, limit=max(page.max_upload, page.max_drawing) + _FORM),
            Middleware(UploadLimit, folder=uploads, limit=_WAITING_UPLOADS * page.max_upload),
        ],
    )
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        root_path=os.environ.get("GRADIO_ROOT_PATH"),
        max_file_size=page.max_upload,
        theme=_theme(),
        css=template("page.css"),
        footer_links=[],
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        run_history=False,
        enable_monitoring=False,
    )
    return app


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
