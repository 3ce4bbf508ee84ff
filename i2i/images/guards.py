"""What no file gets past: its name in every error, a limit to its size, one picture a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from i2i.errors import DataError


@contextmanager
def naming(path: Path | None) -> Iterator[None]:
    """Turn what goes wrong within into a `DataError` that names the file and the reason.

    Args:
        path: None for an image that is in memory.
    """
    name = path or "the image"
    try:
        yield
    except UnidentifiedImageError as error:
        reason = "is of a kind that isn't read" if path is None else _what_it_is(path)
        raise DataError([f"{name}: {reason}"]) from error
    except OSError as error:
        raise DataError([f"{name}: {error.strerror or error}"]) from error
    except Exception as error:  # Decoders raise nearly anything on damaged data.
        raise DataError([f"{name}: {error or type(error).__name__}"]) from error


def check_size(total: int) -> None:
    """Refuse more pixels than are safe to decode, counted over all frames or pages.

    Raises:
        ValueError: Beyond Pillow's limit, `Image.MAX_IMAGE_PIXELS`.
    """
    # Pillow only warns up to twice its limit, and silencing or raising warnings isn't thread-safe.
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and total > limit:
        raise ValueError(
            f"has {total:,} pixels, more than the {limit:,} that are safe to decode: a "
            "decompression bomb?"
        )


def trust_up_to(total: int) -> None:
    """Raise the number of pixels that are decoded, in this process, for files that are trusted."""
    Image.MAX_IMAGE_PIXELS = total


def one_frame_only(frames: int) -> None:
    """Refuse animations and documents.

    Raises:
        ValueError: If there is more than one frame or page.
    """
    if frames > 1:
        raise ValueError(f"has {frames} frames or pages; give each picture a file of its own")


def not_a_picture(channels: int) -> ValueError:
    """What is wrong with a file that isn't grey or colour."""
    return ValueError(f'has {channels} channels; read it in mode "channels"')


def _what_it_is(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "the file is empty"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "is HTML or XML, not an image"
    return "is not an image, or damaged at its very beginning"
