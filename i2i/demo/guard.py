"""Answers only requests that are meant for the page, and tells browsers what the page may do."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i2i.system.text import printable

HUGGING_FACE = ("https://huggingface.co", "https://*.huggingface.co")
"""The sites that show a Space in a frame."""


class Hosts:
    """The names that the page is reached by.

    A page of another site can make its own name lead to this machine (DNS rebinding). Browsers then
    take it for the same site, but the requests still carry that name.

    Args:
        listening: The socket that the page is served on.
        names: More names, such as those of a proxy.
    """

    def __init__(self, listening: socket.socket, names: Iterable[str] = ()) -> None:
        address = listening.getsockname()[0]
        self._all = ip_address(address.partition("%")[0]).is_unspecified
        self._given = frozenset(map(_plain, names))
        self._own = self._given | {_plain(address)}
        if self._all:
            self._own |= {_plain(socket.gethostname()), f"{_plain(socket.gethostname())}.local"}

    def is_own(self, host: str) -> bool:
        """Whether a `Host` header, with or without port, names this page."""
        name = _plain(urlsplit(f"//{host}").hostname or "")
        if name == "localhost" or name.endswith(".localhost") or name in self._own:
            return True
        try:
            address = ip_address(name.partition("%")[0])
        except ValueError:
            return False
        return self._all or address.is_loopback

    def is_from_here(self, origin: str, host: str) -> bool:
        """Whether an `Origin` header is this page's, for a request with this `Host` header."""
        parts = urlsplit(origin)
        return parts.netloc.lower() == host.lower() or _plain(parts.hostname or "") in self._given


class Guard:
    """Refuses requests for other hosts and from pages of other sites, and sets security headers.

    Args:
        app: The application that answers all other requests.
        hosts: The names of the page; None lets all requests through.
        embedded_in: Sites that may show the page in a frame, and that it may load from.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts | None, embedded_in: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = hosts
        self._headers = _headers(list(embedded_in))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        reason = self._refusal(Headers(scope=scope))
        app = self.app if reason is None else PlainTextResponse(reason, 403)
        await app(scope, receive, sending)

    def _refusal(self, headers: Headers) -> str | None:
        if self.hosts is None:
            return None
        host, origin = headers.get("host", ""), headers.get("origin")
        try:
            if not self.hosts.is_own(host):
                name = printable(urlsplit(f"//{host}").hostname or "")
                return f"This page isn't served as '{name}'. --allow-host {name} allows that."
            if origin is not None and not self.hosts.is_from_here(origin, host):
                return "Pages of other sites may not use this page."
        except ValueError:  # no valid address
            return "The request is not valid."
        return None


def _headers(others: list[str]) -> dict[str, str]:
    own = " ".join(["'self'", *others])
    policy = {
        "default-src": own,
        # Gradio's page has scripts and styles in it, and runs its components' scripts from texts.
        "script-src": f"{own} 'unsafe-inline' 'unsafe-eval'",
        "style-src": f"{own} 'unsafe-inline'",
        "img-src": f"{own} data: blob:",
        "font-src": f"{own} data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": own,
    }
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
    }
    if not others:  # this header can't name sites
        headers["X-Frame-Options"] = "SAMEORIGIN"
    return headers


def _plain(name: str) -> str:
    return name.strip("[]").rstrip(".").lower()
