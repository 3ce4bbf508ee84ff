"""Limits on what is sent to the page."""

from contextlib import suppress
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2i.demo.answers import megabytes

_DISCARDED = 100_000_000
"""Bytes beyond a limit that are read and discarded: many clients read no answer before they have
sent everything."""


class BodyLimit:
    """Refuses requests whose body exceeds a limit, before the whole body is in memory.

    Args:
        app: The application that answers all other requests.
        limit: Largest body, in bytes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        left, more = self.limit, True
        refused, started = _announced(scope) > self.limit, False

        async def received() -> Message:
            nonlocal left, more
            message = await receive()
            left -= len(message.get("body", b""))
            more = message.get("more_body", False)
            return message

        async def counted() -> Message:
            nonlocal refused
            message = await received()
            if left < 0:
                refused = True
                raise _TooLargeError
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if not refused:
                started = True
                await send(message)

        if not refused:
            try:
                await self.app(scope, counted, sending)
            except _TooLargeError:
                refused = True
        if refused and not started:  # the server aborts a response that has started
            while more and left > -_DISCARDED:
                await received()
            text = f"That is too large: at most {megabytes(self.limit)} are allowed here."
            await PlainTextResponse(text, 413, {"Connection": "close"})(scope, receive, send)


class UploadLimit:
    """Refuses uploads while those that were not read yet take too much of the disk.

    Args:
        app: The application that answers all other requests.
        folder: The folder of uploaded files.
        limit: Largest sum of their sizes, in bytes.
    """

    def __init__(self, app: ASGIApp, folder: Path, limit: int) -> None:
        self.app = app
        self.folder = folder
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 503."""
        uploads = scope["type"] == "http" and scope["path"].rstrip("/").endswith("/upload")
        if uploads and _size(self.folder) > self.limit:
            text = "Too many pictures are being opened: try again in a minute."
            await PlainTextResponse(text, 503, {"Connection": "close"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class _TooLargeError(Exception):
    pass


def _announced(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def _size(folder: Path) -> int:
    """The sum of the sizes of all files below a folder; one may vanish while they are counted."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size
    return total
