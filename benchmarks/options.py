"""Options of the benchmarks."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The options of the command line.

    Args:
        data: The folder of the facades, with `train` and `test`.
        peer: A clone of the peer, see `benchmarks.peer`.
        rounds: Measurements of each contestant; None for the subject's default.
        size: Only configurations with this image size.
        batch: Only configurations with this batch size.
        method: The method whose steps are measured.
    """

    data: Path
    peer: Path | None = None
    rounds: int | None = None
    size: int | None = None
    batch: int | None = None
    method: str = "pix2pix"
