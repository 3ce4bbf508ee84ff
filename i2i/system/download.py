"""Downloads of files."""

import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from i2i.system.console import track

PATIENCE = 15.0
"""Seconds without data from the server after which a download fails."""


class TooLarge(Exception):
    """There are more bytes than allowed."""


def download(url: str, file: Path, what: str | None = None, *, at_most: int | None = None) -> Path:
    """Download a file and check its size.

    Args:
        url: The address.
        file: Where to write; its folder must exist.
        what: The name that the progress bar shows; by default the file's name.
        at_most: Largest number of bytes; None allows any.

    Returns:
        The path `file`.

    Raises:
        OSError: If the download fails or the connection ends early. The message gives the reason,
            but not the address; callers add what they were downloading.
        TooLarge: If there are more than `at_most` bytes.
    """
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer, file.open("wb") as written:
            size = int(answer.headers.get("Content-Length") or 0)
            with track(f"fetching {what or file.name}", size or None, unit="bytes") as advance:
                while block := answer.read(2**20):
                    done += len(block)
                    if at_most is not None and max(done, size) > at_most:
                        raise TooLarge(url)
                    written.write(block)
                    advance(len(block))
    except (OSError, HTTPException, ValueError) as error:
        raise OSError(_reason(error)) from error
    if size and done != size:
        raise OSError(f"the connection ended after {done} of {size} bytes")
    return file


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return str(error)  # includes the status code
    if isinstance(error, OSError):
        return str(getattr(error, "reason", error))  # the cause that urllib's error wraps
    return f"{type(error).__name__}: {error}"  # an unknown scheme, or not an HTTP server
