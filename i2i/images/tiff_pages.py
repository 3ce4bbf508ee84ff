"""Find the pages of a TIFF that are pictures, and what only its tags tell."""

import struct
from collections.abc import Collection
from typing import BinaryIO, NamedTuple

MOST = 4096
"""Largest number of pages."""

MOST_TAGS = 2**17
"""Largest number of tags of all pages."""

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_IFDS = 254, 255, 330
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType: a reduced copy of another page, and the transparency mask of one."""

_OLD_REDUCED = 2

_GEO = frozenset({33550, 33922, 34264, 34735})
"""Tags of GeoTIFF: ModelPixelScale, ModelTiepoint, ModelTransformation and GeoKeyDirectory."""


def is_georeferenced(file: BinaryIO) -> bool:
    """Whether the first picture of a TIFF has tags of GeoTIFF; errors are those of `pictures`."""
    return not _GEO.isdisjoint(pictures(file, 1)[0].tags)


class Page(NamedTuple):
    """A page of a TIFF: its number in the file, from 0, and its tags."""

    place: int
    tags: Collection[int]


def pictures(file: BinaryIO, at_most: int) -> list[Page]:
    """The first pages of a TIFF, without reduced copies and masks.

    Args:
        file: The file; its position is restored.
        at_most: The number of pages after which the search ends.

    Raises:
        ValueError: If there are more than `MOST` pages or tags, or only a preview of the picture,
            or if the file is truncated.
    """
    position = file.tell()
    try:
        return _pictures(file, at_most)
    except (struct.error, OverflowError) as error:
        raise ValueError("is truncated: a page's list of tags is missing") from error
    finally:
        file.seek(position)


def _pictures(file: BinaryIO, at_most: int) -> list[Page]:
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", start, 2)[0] == 43
    count, entry, pointer = (
        struct.Struct(order + form)
        for form in (("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I"))
    )
    (offset,) = pointer.unpack_from(start, 8 if big else 4)
    found: list[Page] = []
    first_tags: dict[int, int] = {}
    seen: set[int] = set()
    total = 0
    while offset and offset not in seen and len(found) < at_most:
        if len(seen) == MOST:
            raise ValueError(f"has more than {MOST:,} pages")
        seen.add(offset)
        file.seek(offset)
        (length,) = count.unpack(file.read(count.size))
        total += length
        if total > MOST_TAGS:
            raise ValueError(f"is damaged: its pages have more than {MOST_TAGS:,} tags")
        entries = entry.iter_unpack(file.read(entry.size * length))
        tags = {tag: _number(order, kind, value) for tag, kind, _, value in entries}
        first_tags = first_tags or tags
        reduced = tags.get(_NEW_SUBFILE_TYPE, 0) & (_REDUCED | _MASK)
        if not reduced and tags.get(_SUBFILE_TYPE) != _OLD_REDUCED:
            found.append(Page(len(seen) - 1, tags))
        (offset,) = pointer.unpack(file.read(pointer.size))
    if found:
        return found
    if _SUB_IFDS in first_tags:
        raise ValueError("has only a preview in its pages: save the picture itself as a TIFF")
    return [Page(0, first_tags)]


def _number(order: str, kind: int, value: bytes) -> int:
    """The value of a tag of one SHORT or LONG; else 0."""
    if kind == 3:
        return int(struct.unpack_from(f"{order}H", value)[0])
    return int(struct.unpack_from(f"{order}I", value)[0]) if kind == 4 else 0
