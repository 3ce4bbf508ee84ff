"""Checks for all image files: errors name the file, size is limited, one frame per file."""

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from i2i.errors import DataError
from i2i.images.kinds import kind_by_content, kind_by_name
from i2i.images.needs import Needed, NeedsOption

MOST_OVERLAP = 4
"""Largest ratio of the bytes of a file's parts to those of the file: equal parts may be shared."""

LONGEST = 300
"""Largest number of characters of an error message of a decoder."""


class BoundedFile(io.BufferedReader):
    """A file of which no more is read than there is, whatever length a damaged header tells.

    Python reserves memory for all bytes that `read` is asked for.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._length = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to `size` bytes, or all."""
        if size is not None and size > io.DEFAULT_BUFFER_SIZE:
            size = max(0, min(size, self._length - self.tell()))
        return super().read(size)


@contextmanager
def naming(path: Path | None) -> Iterator[None]:
    """Convert exceptions in the block to a `DataError` that names the file and the reason.

    Args:
        path: The file, or None for an image in memory.
    """
    name = path or "the image"
    try:
        yield
    except Needed as error:
        raise NeedsOption(error.need, [f"{name}: {error}"]) from error
    except UnidentifiedImageError as error:
        reason = "is in a format that is not supported" if path is None else _what_it_is(path)
        raise DataError([f"{name}: {reason}"]) from error
    except OSError as error:
        raise DataError([f"{name}: {error.strerror or _line(error)}"]) from error
    except Exception as error:  # Decoders raise nearly any exception for damaged data.
        kind = None if path is None else kind_by_content(_start(path))
        raise DataError([f"{name}: {kind.sentence if kind else _line(error)}"]) from error


def check_size(total: int) -> None:
    """Refuse images with too many pixels, counted over all frames or pages.

    Raises:
        ValueError: If there are more pixels than Pillow's limit, `Image.MAX_IMAGE_PIXELS`.
    """
    # Pillow only warns up to twice its limit, and warning filters are not thread-safe.
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and total > limit:
        raise ValueError(
            f"has {total:,} pixels, more than the safe limit of {limit:,}: a decompression bomb?"
        )


def pixels_in(height: int, width: int, channels: int) -> int:
    """The pixels that `check_size` counts: each channel after colour and alpha is a page."""
    return height * width * max(1, channels - 3)


def check_parts(lengths: Iterable[int], file: BinaryIO) -> None:
    """Refuse files whose parts overlap so much that to read all takes many times the file's size.

    Raises:
        ValueError: If the parts are together more than `MOST_OVERLAP` times the file.
    """
    if sum(lengths) > MOST_OVERLAP * file.seek(0, os.SEEK_END):
        raise ValueError("is damaged: its strips or tiles overlap")


def trust_up_to(total: int) -> None:
    """Set the pixel limit of this process; raise it for trusted files only."""
    Image.MAX_IMAGE_PIXELS = total


def several_frames() -> ValueError:
    """The error for an animation or a multi-page document, of which the second frame is enough."""
    return ValueError("has 2 frames or pages, or more; save each one as a separate file")


def not_a_picture(channels: int) -> ValueError:
    """The error for an image that is neither grey nor colour."""
    return Needed("mode", f"has {channels} channels, so it is neither grey nor colour")


def _line(error: Exception) -> str:
    """The message of an error in one line; decoders may quote much of a damaged file."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _what_it_is(path: Path) -> str:
    start = _start(path)
    if not start:
        return "the file is empty"
    if kind := kind_by_content(start) or kind_by_name(path):
        return kind.sentence
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "is HTML or XML, not an image"
    return "is not an image, or its beginning is damaged"


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(160)
