"""Decode images once: check and resize them, and cache them as one uint8 or uint16 array."""

import hashlib
import json
import math
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from i2i.datasets.dataset import Dataset, Direction, Pair, Single, Split
from i2i.errors import DataError
from i2i.images.types import Array, Size
from i2i.system.cache import cache_dir
from i2i.system.console import track
from i2i.system.files import ABANDONED_AFTER, remove_leftovers, replacing, write_whole
from i2i.system.hashing import json_sha256, text_sha256

FORMAT = 3
"""Version of the cached files; increase it when their contents change."""

AHEAD = 256
"""Number of pairs that are decoded before they are written."""

IN_MEMORY_UP_TO = 2**30
"""Maximum bytes of an array that is read into memory; larger ones are mapped from disk."""


Range = tuple[int, int]
"""The smallest and the largest value."""

Item = Pair | Single


@dataclass(frozen=True)
class Decoded:
    """Pairs of images, or images of one side, decoded.

    Args:
        array: `(n, C, H, W)` uint8 or uint16; do not modify it. A pair has the channels of its
            input, then those of its target.
        input_channels: The number of the input's channels.
        names: The names of the pairs or images.
        files: Their files.
        skipped: The names of skipped pairs or images, with the reasons.
        fingerprint: SHA-256 over the names and contents of all that are included.
        ranges: The smallest and the largest value of each side; empty without images.
        backward: Whether inputs and targets change places, for a model of the way back.
    """

    array: Array
    input_channels: int
    names: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]
    skipped: tuple[tuple[str, str], ...]
    fingerprint: str
    ranges: tuple[Range, ...] = ()
    backward: bool = False

    def __len__(self) -> int:
        """The number of pairs or images."""
        return len(self.names)

    noun: ClassVar[str] = "pairs"
    """What `counts` counts, for people."""

    @property
    def counts(self) -> str:
        """The number of pairs, for people."""
        return f"{len(self):,}"

    def sides(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The inputs and the targets of some pairs, `(N, C, H, W)`."""
        pairs = torch.from_numpy(self.array[list(indices)])
        inputs, targets = pairs[:, : self.input_channels], pairs[:, self.input_channels :]
        return (targets, inputs) if self.backward else (inputs, targets)

    def towards(self, direction: Direction) -> Self:
        """The same pairs as a model of this direction sees them; backward, they are other data."""
        if direction == "forward":
            return self
        return replace(self, backward=True, fingerprint=text_sha256(f"{self.fingerprint} backward"))


def decode(
    dataset: Dataset,
    split: Split,
    size: Size,
    *,
    on_bad: Literal["error", "skip"] = "error",
    workers: int | None = None,
) -> Decoded:
    """Decode and resize all pairs of a split, or load them from the cache.

    Args:
        dataset: The data.
        split: The split; a missing split gives no pairs.
        size: Height and width of the result.
        on_bad: Whether pairs that can't be read raise an error or are skipped.
        workers: The number of threads; default: the number of cores.

    Raises:
        DataError: If pairs can't be read and are not skipped (the error lists all of them), or if
            the cache folder can't be written to.
    """
    channels = (dataset.input_channels, dataset.target_channels)
    return decode_items(
        dataset.pairs(split), channels, dataset.dtype, size, split, on_bad=on_bad, workers=workers
    )


def decode_items(
    items: Sequence[Item],
    channels: tuple[int, ...],
    dtype: DTypeLike,
    size: Size,
    what: str,
    *,
    on_bad: Literal["error", "skip"] = "error",
    workers: int | None = None,
) -> Decoded:
    """Decode and resize pairs, or images of one side, or load them from the cache.

    Args:
        items: The pairs or images.
        channels: The number of channels of each side.
        dtype: uint8 or uint16.
        size: Height and width of the result.
        what: What is decoded, for the progress bar.
        on_bad: As for `decode`.
        workers: As for `decode`.

    Raises:
        DataError: As for `decode`.
    """
    workers = workers or os.cpu_count() or 1
    found = _digests(items, workers)
    unreadable = {p.name: why for p, why in zip(items, found, strict=True) if isinstance(why, str)}
    items = [item for item in items if item.name not in unreadable]
    digests = [digest for digest in found if isinstance(digest, bytes)]
    shape = (len(items), sum(channels), *size)
    folder = cache_dir() / "decoded"
    path = folder / f"{_key(items, digests, shape, dtype)}.raw"
    try:
        cached = _cached(path)
        if cached is None:
            _build(path, items, channels, dtype, size, what, workers)
            cached = _cached(path)
    except OSError as error:
        raise DataError(
            [
                f"{folder}: can't store decoded images: {error.strerror or error}; set "
                "I2I_CACHE_DIR to a folder with free space"
            ]
        ) from error
    assert cached is not None
    array, reasons, ranges = cached[0], unreadable | cached[1], cached[2]
    if reasons and on_bad == "error":
        raise DataError(list(reasons.values()))
    good = [i for i, item in enumerate(items) if item.name not in reasons]
    return Decoded(
        array,
        channels[0],
        tuple(items[i].name for i in good),
        tuple(items[i].files for i in good),
        tuple(reasons.items()),
        _fingerprint([items[i] for i in good], [digests[i] for i in good]),
        ranges,
    )


def _digests(items: Sequence[Item], workers: int) -> list[bytes | str]:
    """The digest of each item, or the reason why it can't be computed."""

    def digest(item: Item) -> bytes | str:
        try:
            return item.digest()
        except DataError as error:
            return "; ".join(error.problems)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(digest, items))


def _fingerprint(items: Sequence[Item], digests: Sequence[bytes]) -> str:
    whole = hashlib.sha256()
    for item, digest in zip(items, digests, strict=True):
        whole.update(os.fsencode(item.name) + b"\0" + digest)
    return whole.hexdigest()


def _key(
    items: Sequence[Item], digests: Sequence[bytes], shape: tuple[int, ...], dtype: DTypeLike
) -> str:
    what = [FORMAT, _fingerprint(items, digests), shape, np.dtype(dtype).name]
    return json_sha256(what)[:32]


def _cached(path: Path) -> tuple[Array, dict[str, str], tuple[Range, ...]] | None:
    """Load a cached array, the reasons for skipped pairs and the ranges; None if it is damaged.

    The checksum is verified only for arrays that are read into memory completely.
    """
    try:
        about = json.loads(_about(path).read_text(encoding="utf-8"))
        shape, dtype, reasons = tuple(about["shape"]), np.dtype(about["dtype"]), about["reasons"]
        crc, ranges = int(about["crc32"]), tuple((low, high) for low, high in about["ranges"])
        size = path.stat().st_size
        if size != math.prod(shape) * dtype.itemsize:
            return None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    if size > IN_MEMORY_UP_TO:
        return np.memmap(path, dtype, "r", shape=shape), reasons, ranges
    array = np.fromfile(path, dtype).reshape(shape)
    return (array, reasons, ranges) if zlib.crc32(array.data) == crc else None


def _build(
    path: Path,
    items: Sequence[Item],
    channels: tuple[int, ...],
    dtype: DTypeLike,
    size: Size,
    what: str,
    workers: int,
) -> None:
    """Decode all items into a temporary file, and rename it to `path` when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A running process writes continuously, so an untouched file belongs to a dead one.
    remove_leftovers(path.parent, untouched_for=ABANDONED_AFTER)
    reasons: dict[str, str] = {}
    extremes: list[list[Range]] = []
    crc = 0
    with replacing(path) as unfinished:
        with (
            unfinished.open("wb") as file,
            ThreadPoolExecutor(workers) as pool,
            track(f"decoding {what}", len(items)) as advance,
        ):
            for first in range(0, len(items), AHEAD):
                batch = items[first : first + AHEAD]
                results = pool.map(partial(_load, channels, size), batch)
                for item, result in zip(batch, results, strict=True):
                    if isinstance(result, str):
                        reasons[item.name] = result
                    else:
                        extremes.append([(int(side.min()), int(side.max())) for side in result])
                        content = np.concatenate(result).astype(dtype, copy=False).tobytes()
                        crc = zlib.crc32(content, crc)
                        file.write(content)
                    advance(1)
        about = {
            "shape": [len(items) - len(reasons), sum(channels), *size],
            "dtype": np.dtype(dtype).name,
            "reasons": reasons,
            "ranges": [
                (min(low for low, _ in side), max(high for _, high in side))
                for side in zip(*extremes, strict=True)
            ],
            "crc32": crc,
        }
        write_whole(_about(path), json.dumps(about))


def _load(channels: tuple[int, ...], size: Size, item: Item) -> list[Array] | str:
    """Decode an item to its sides `(C, H, W)`, or return the reason why it can't be read."""
    try:
        images = item.load(size) if isinstance(item, Pair) else (item.load(size),)
    except DataError as error:
        return "; ".join(error.problems)
    sides = ("input", "target") if len(images) == 2 else ("image",)
    for side, image, number in zip(sides, images, channels, strict=True):
        if image.shape != (expected := (*size, number)):
            found, needed = ("x".join(map(str, s)) for s in (image.shape, expected))
            return f"{item.name}: its {side} is {found} (height, width, channels), not {needed}"
    return [image.transpose(2, 0, 1) for image in images]


def _about(path: Path) -> Path:
    return path.with_suffix(".json")
