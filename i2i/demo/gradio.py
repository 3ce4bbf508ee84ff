"""Gradio, which the page is made with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_settings() -> Iterator[None]:
    """Hide the user's proxies and Gradio's variables while Gradio is imported.

    The import sets up HTTP clients, and fails if there is a SOCKS proxy that httpx has no library
    for. The page needs no client: it requests nothing from other machines. The import also fails
    if `GRADIO_SERVER_PORT` is no number.
    """
    hidden = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name.startswith("GRADIO_")
    }
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


with _without_settings():
    import gradio as gr

__all__ = ["gr"]
