"""Parts of the facades data set, for benchmarks that need few images."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from i2i.images import read, save_image


def copy_pairs(data: Path, folder: Path, count: int) -> None:
    """Make a data set with `count` training pairs and nothing else."""
    (folder / "train").mkdir(parents=True)
    for file in _files(data / "train", count):
        shutil.copy(file, folder / "train")


def write_halves(source: Path, folder: Path, *, left: bool, count: int | None = None) -> list[Path]:
    """Write halves of side-by-side pairs as PNG files: photos (left) or label maps (right)."""
    written = []
    for file in _files(source, count):
        pair = read(file)
        half = pair.shape[1] // 2
        save_image(pair[:, :half] if left else pair[:, half:], folder / file.stem)
        written.append(folder / f"{file.stem}.png")
    return written


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """A context in which i2i, also in started programs, uses the folder as its cache."""
    before = os.environ.get("I2I_CACHE_DIR")
    os.environ["I2I_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["I2I_CACHE_DIR"]
        if before is not None:
            os.environ["I2I_CACHE_DIR"] = before


def _files(folder: Path, count: int | None) -> list[Path]:
    files = sorted(folder.glob("*.jpg"))[:count]
    if not files or (count is not None and len(files) < count):
        raise SystemExit(
            f"{folder}: has too few JPEG files ({len(files)}); give a folder with the facades' "
            "train and test: --data DIR"
        )
    return files
