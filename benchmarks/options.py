"""What a benchmark is told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Args:
        data: The facades, with `train` and `test`.
        peer: A clone of the peer, see `benchmarks.peer`.
        rounds: How often each contestant is measured; None for the subject's own number.
        size: Only configurations of images of this side.
        batch: Only configurations of batches of so many images.
    """

    data: Path
    peer: Path | None = None
    rounds: int | None = None
    size: int | None = None
    batch: int | None = None
