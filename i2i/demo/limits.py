"""A size limit for all requests."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2i.demo.answers import megabytes


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
        left, refused, started = self.limit, _announced(scope) > self.limit, False

        async def counted() -> Message:
            nonlocal left, refused
            message = await receive()
            left -= len(message.get("body", b""))
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
            await _refuse(send, self.limit)


class _TooLargeError(Exception):
    pass


def _announced(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send, limit: int) -> None:
    text = f"That is too large: at most {megabytes(limit)} are allowed here."
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
