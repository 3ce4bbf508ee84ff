"""Where a benchmark against the training peer takes place."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.facades import cache_in
from benchmarks.options import Options
from benchmarks.peer import Peer, unpacked


@contextmanager
def workplace(options: Options) -> Iterator[tuple[Peer, Path]]:
    """The peer's code, and an empty folder in which i2i also keeps what it decodes."""
    with unpacked(options.peer) as peer, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with cache_in(work / "cache"):
            yield peer, work
