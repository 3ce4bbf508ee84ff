"""Files fetched from the network."""

import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from i2i.system.console import track

PATIENCE = 15.0
"""Seconds that a silent server is waited for."""


def download(url: str, file: Path, what: str | None = None) -> Path:
    """Fetch a file, whole.

    Args:
        url: Where it is.
        file: Where to; its folder exists.
        what: What the bar on a terminal says is fetched; the file's name by default.

    Returns:
        The file.

    Raises:
        OSError: If it can't be fetched, or the connection ends early; it says why, not what.
    """
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer, file.open("wb") as written:
            size = int(answer.headers.get("Content-Length") or 0)
            with track(f"fetching {what or file.name}", size or None, unit="bytes") as advance:
                while block := answer.read(2**20):
                    written.write(block)
                    advance(len(block))
    except (OSError, HTTPException, ValueError) as error:
        raise OSError(_reason(error)) from error
    if size and file.stat().st_size != size:
        raise OSError(f"the connection ended after {file.stat().st_size} of {size} bytes")
    return file


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return str(error)  # with its number
    if isinstance(error, OSError):
        return str(getattr(error, "reason", error))  # what urllib's own error is about
    return f"{type(error).__name__}: {error}"  # no such kind of address, or no HTTP behind it
