"""The page as Gradio runs it: what it keeps in memory and on the disk is limited."""

from typing import Any

from i2i.demo.gradio import gr

MAX_WAITING = 16
"""Longest queue of drawings; further users are asked to try again."""

_SESSIONS = 4
"""Visitors whose last drawing Gradio keeps in memory; nothing depends on it."""

_UNREAD = 64
"""Visitors whose answers Gradio keeps until they are read."""

_FORGOTTEN_AFTER = 300
"""Seconds after which an upload that was never read is deleted."""


class Page(gr.Blocks):
    """A page that answers invalid values, which its own script never sends, with one sentence.

    Args:
        title: Shown by the browser.
        max_upload: Largest uploaded file, in bytes.
        max_drawing: Longest drawing, in characters.
    """

    def __init__(self, title: str, max_upload: int, max_drawing: int) -> None:
        super().__init__(title=title, analytics_enabled=False, delete_cache=(60, _FORGOTTEN_AFTER))
        self.max_upload = max_upload
        self.max_drawing = max_drawing
        self.state_session_capacity = _SESSIONS

    async def preprocess_data(self, *arguments: Any, **known: Any) -> Any:
        """Convert the values of a request to the arguments of functions."""
        try:
            return await super().preprocess_data(*arguments, **known)
        except Exception as error:  # each component raises its own errors
            message = "the request is not valid: load the page again"
            raise gr.Error(message, print_exception=False) from error

    def limit_queue(self) -> None:
        """Limit the queue; to be called when all events are known."""
        self.queue(max_size=MAX_WAITING, default_concurrency_limit=1, api_open=False)
        self._queue.pending_messages_per_session.max_size = _UNREAD
