"""Decode a split once: check and resize all pairs, and cache them as one uint8 or uint16 array."""

import hashlib
import json
import math
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from i2i.datasets.dataset import Dataset, Pair, Split
from i2i.errors import DataError
from i2i.images.types import Array, Size
from i2i.system.cache import cache_dir
from i2i.system.console import track
from i2i.system.files import ABANDONED_AFTER, remove_leftovers, replacing, write_whole
from i2i.system.hashing import json_sha256

FORMAT = 3
"""Version of the cached files; increase it when their contents change."""

AHEAD = 256
"""Number of pairs that are decoded before they are written."""

IN_MEMORY_UP_TO = 2**30
"""Maximum bytes of an array that is read into memory; larger ones are mapped from disk."""


Range = tuple[int, int]
"""The smallest and the largest value."""


@dataclass(frozen=True)
class Decoded:
    """The pairs of a split, decoded.

    Args:
        array: `(n, input + target channels, H, W)` uint8 or uint16; do not modify it.
        input_channels: The number of input channels; they come first.
        names: The names of the pairs.
        files: The files of each pair.
        skipped: The names of skipped pairs, with the reasons.
        fingerprint: SHA-256 over the names and contents of the pairs that are included.
        ranges: The smallest and the largest value of all inputs and of all targets; empty without
            pairs.
    """

    array: Array
    input_channels: int
    names: tuple[str, ...]
    files: tuple[tuple[Path, ...], ...]
    skipped: tuple[tuple[str, str], ...]
    fingerprint: str
    ranges: tuple[Range, ...] = ()


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
    pairs = dataset.pairs(split)
    workers = workers or os.cpu_count() or 1
    found = _digests(pairs, workers)
    unreadable = {p.name: why for p, why in zip(pairs, found, strict=True) if isinstance(why, str)}
    pairs = [pair for pair in pairs if pair.name not in unreadable]
    digests = [digest for digest in found if isinstance(digest, bytes)]
    shape = (len(pairs), dataset.input_channels + dataset.target_channels, *size)
    folder = cache_dir() / "decoded"
    path = folder / f"{_key(pairs, digests, shape, dataset)}.raw"
    try:
        cached = _cached(path)
        if cached is None:
            _build(path, dataset, pairs, shape, split, workers)
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
    good = [i for i, pair in enumerate(pairs) if pair.name not in reasons]
    return Decoded(
        array,
        dataset.input_channels,
        tuple(pairs[i].name for i in good),
        tuple(pairs[i].files for i in good),
        tuple(reasons.items()),
        _fingerprint([pairs[i] for i in good], [digests[i] for i in good]),
        ranges,
    )


def _digests(pairs: Sequence[Pair], workers: int) -> list[bytes | str]:
    """The digest of each pair, or the reason why it can't be computed."""

    def digest(pair: Pair) -> bytes | str:
        try:
            return pair.digest()
        except DataError as error:
            return "; ".join(error.problems)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(digest, pairs))


def _fingerprint(pairs: Sequence[Pair], digests: Sequence[bytes]) -> str:
    whole = hashlib.sha256()
    for pair, digest in zip(pairs, digests, strict=True):
        whole.update(os.fsencode(pair.name) + b"\0" + digest)
    return whole.hexdigest()


def _key(
    pairs: Sequence[Pair], digests: Sequence[bytes], shape: tuple[int, ...], dataset: Dataset
) -> str:
    what = [FORMAT, _fingerprint(pairs, digests), shape, np.dtype(dataset.dtype).name]
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
    dataset: Dataset,
    pairs: Sequence[Pair],
    shape: tuple[int, ...],
    split: Split,
    workers: int,
) -> None:
    """Decode all pairs into a temporary file, and rename it to `path` when it is complete."""
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
            track(f"decoding {split}", len(pairs)) as advance,
        ):
            for first in range(0, len(pairs), AHEAD):
                batch = pairs[first : first + AHEAD]
                results = pool.map(partial(_load, dataset.input_channels, shape), batch)
                for pair, result in zip(batch, results, strict=True):
                    if isinstance(result, str):
                        reasons[pair.name] = result
                    else:
                        sides = np.split(result, [dataset.input_channels])
                        extremes.append([(int(a.min()), int(a.max())) for a in sides])
                        content = result.astype(dataset.dtype, copy=False).tobytes()
                        crc = zlib.crc32(content, crc)
                        file.write(content)
                    advance(1)
        about = {
            "shape": [len(pairs) - len(reasons), *shape[1:]],
            "dtype": np.dtype(dataset.dtype).name,
            "reasons": reasons,
            "ranges": [
                (min(low for low, _ in side), max(high for _, high in side))
                for side in zip(*extremes, strict=True)
            ],
            "crc32": crc,
        }
        write_whole(_about(path), json.dumps(about))


def _load(input_channels: int, shape: tuple[int, ...], pair: Pair) -> Array | str:
    """Decode a pair to its channels `(C, H, W)`, or return the reason why it can't be read."""
    _, channels, height, width = shape
    try:
        images = pair.load((height, width))
    except DataError as error:
        return "; ".join(error.problems)
    wanted = [(height, width, n) for n in (input_channels, channels - input_channels)]
    for side, image, expected in zip(("input", "target"), images, wanted, strict=True):
        if image.shape != expected:
            found, needed = ("x".join(map(str, s)) for s in (image.shape, expected))
            return f"{pair.name}: its {side} is {found} (height, width, channels), not {needed}"
    both: Array = np.concatenate(images, axis=2)
    return both.transpose(2, 0, 1)


def _about(path: Path) -> Path:
    return path.with_suffix(".json")
