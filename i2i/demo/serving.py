"""Serves a page: the address it listens on, and the server."""

import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from i2i.errors import I2IError

FIRST_PORT = 7860
PORTS = range(FIRST_PORT, FIRST_PORT + 100)
"""The ports that are tried if none is given."""

_ELSEWHERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL}
"""Error numbers of addresses that this machine doesn't have."""

_GRACE = 1
"""Seconds that open connections have to end when the server stops."""


def listen(host: str | None, port: int | None) -> socket.socket:
    """Open a socket that listens.

    Args:
        host: An address of this machine, or a name of it; None uses `GRADIO_SERVER_NAME`, or else
            only this machine can connect.
        port: 0 takes any free port; None uses `GRADIO_SERVER_PORT`, or else the first free one of
            `PORTS`.

    Raises:
        I2IError: If the host is not this machine or the port can't be listened on.
    """
    host = host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    family, address = _resolved(host)
    ports = [port] if port is not None else _usual_ports()
    for each in ports:
        try:
            # An IPv6 socket on all addresses takes IPv4 connections, too.
            both = address[0] == "::" and socket.has_dualstack_ipv6()
            here = (address[0], each, *address[2:])
            return socket.create_server(here, family=family, dualstack_ipv6=both)
        except (OSError, OverflowError) as error:
            if each == ports[-1] or not _is_taken(error):
                raise _refused(host, each, error) from error
    raise AssertionError("there is at least one port")


def url_of(listening: socket.socket) -> str:
    """The address to open in a browser of this machine."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(app: ASGIApp, listening: socket.socket, started: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        app: The application.
        listening: From `listen`.
        started: Called when the application answers.
    """
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE)
    server = _Server(config, started)
    with listening, _cleaning_up_on_sigterm():
        server.run([listening])


@contextmanager
def _cleaning_up_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, which uvicorn raises again when it has stopped, end the process in order."""
    if threading.current_thread() is not threading.main_thread():  # which gets all signals
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()


def _resolved(host: str) -> tuple[int, tuple[Any, ...]]:
    """The address family of a host, and its address as sockets take it."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise I2IError(
            f"--host {host}: there is no machine of this name; give an address of this machine, "
            "such as 127.0.0.1, ::1 or 0.0.0.0 (all)"
        ) from error
    family, _, _, _, address = found[0]
    return family, address


def _usual_ports() -> range | list[int]:
    named = os.environ.get("GRADIO_SERVER_PORT")
    if named is None:
        return PORTS
    if not named.isdecimal() or int(named) > 65535:
        raise I2IError(f"GRADIO_SERVER_PORT is '{named}': give a number from 0 to 65535")
    return [int(named)]


def _is_taken(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def _refused(host: str, port: int, error: OSError | OverflowError) -> I2IError:
    if isinstance(error, OverflowError):
        return I2IError(f"port {port} is not from 0 to 65535")
    if error.errno in _ELSEWHERE:
        return I2IError(
            f"--host {host}: is not an address of this machine; 127.0.0.1 serves this machine "
            "only, 0.0.0.0 all that can reach it"
        )
    # A taken port needs no other reason.
    reason = "" if _is_taken(error) else f" ({os.strerror(error.errno or 0)})"
    return I2IError(f"port {port} can't be listened on{reason}; --port 0 takes a free one")
