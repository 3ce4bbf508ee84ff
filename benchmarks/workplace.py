"""The temporary folder of a benchmark against the training peer."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.facades import cache_in
from benchmarks.options import Options
from benchmarks.peer import Peer, unpacked


@contextmanager
def workplace(options: Options) -> Iterator[tuple[Peer, Path]]:
    """A context with the peer's code and a temporary folder, which also has i2i's cache."""
    with unpacked(options.peer) as peer, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with cache_in(work / "cache"):
            yield peer, work
