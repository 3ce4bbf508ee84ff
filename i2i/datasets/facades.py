"""The CMP facades with the splits of the pix2pix paper: 400 train, 100 val and 106 test pairs."""

import gzip
import hashlib
import tarfile
import zlib
from pathlib import Path
from typing import Literal

from i2i.datasets.dataset import SPLITS, Dataset, Pair, Split
from i2i.datasets.folders import Folders
from i2i.datasets.synthetic import CLASSES, Synthetic
from i2i.errors import DataError
from i2i.system.cache import cache_dir
from i2i.system.download import download
from i2i.system.files import scratch
from i2i.system.hashing import file_sha256

ARCHIVE = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/facades.tar.gz"
CONTENTS = "d0a4798330eb81caef903b6000237d7af7d7778ccf9cd8cfdf0159d3f78b680e"
"""The expected SHA-256 of the extracted images; see `contents_sha256`."""


class Facades(Dataset):
    """Label maps and photos of facades, 256 x 256 each.

    CMP Facade Database: R. Tyleček and R. Šára, "Spatial Pattern Templates for Recognition of
    Objects with Regular Structure", GCPR 2013; in the form of Isola et al. 2017.

    Args:
        root: A folder with `train`, `val` and `test` from the official archive. Without it, the
            archive is downloaded once, verified by the SHA-256 of its contents and stored in the
            user's cache.
        direction: Which image is the input: the label map or the photo.
        fallback: What to do if the archive can't be downloaded: `error`, or continue with
            `synthetic` images. The console, environment.json and the report then show a notice.
        url: The address of the archive.

    Raises:
        DataError: If the data is unavailable and there is no fallback.
    """

    credit = (
        "CMP Facade Database (R. Tyleček and R. Šára, GCPR 2013), in the form of Isola et al., "
        "CVPR 2017; for research"
    )
    palette = CLASSES

    def __init__(
        self,
        root: Path | None = None,
        *,
        direction: Literal["label_to_photo", "photo_to_label"] = "label_to_photo",
        fallback: Literal["error", "synthetic"] = "error",
        url: str = ARCHIVE,
    ) -> None:
        self.labels_side = "input" if direction == "label_to_photo" else "target"
        self._data: Dataset
        try:
            folder = root if root is not None else _fetched(url)
        except OSError as error:
            reason = f"{url} can't be fetched: {error}"
            if fallback == "error":
                raise DataError(
                    [
                        f"facades: {reason}. Set data.root to a folder with the data, or "
                        'data.fallback to "synthetic" to continue with procedural images'
                    ]
                ) from error
            self._data = Synthetic(direction=direction)
            self.credit = self._data.credit
            self.notice = (
                "SYNTHETIC stand-in: these are procedural images, not the CMP facades, and "
                f"results say nothing about the CMP facades ({reason})"
            )
        else:
            side: Literal["left", "right"] = "right" if direction == "label_to_photo" else "left"
            self._data = Folders(folder, side_by_side=True, input_side=side)
            self.input_half = side
            self.remarks = self._data.remarks

    def pairs(self, split: Split) -> list[Pair]:
        """The pairs of a split; see `Dataset.pairs`."""
        return self._data.pairs(split)


def contents_sha256(folder: Path) -> str:
    """One SHA-256 over the relative paths and bytes of all images of the three splits."""
    whole = hashlib.sha256()
    for file in sorted(f for split in SPLITS for f in (folder / split).rglob("*") if f.is_file()):
        whole.update(file.relative_to(folder).as_posix().encode() + b"\0")
        whole.update(bytes.fromhex(file_sha256(file)))
    return whole.hexdigest()


def _fetched(url: str) -> Path:
    """The folder of the data in the user's cache; downloads the archive if it is missing.

    Raises:
        OSError: If the archive can't be downloaded.
        DataError: If the archive is damaged, unsafe or has other contents.
    """
    home = cache_dir() / "datasets"
    folder = home / "facades"
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with scratch(folder) as unpacked:
        archive = download(url, unpacked / "archive.tar.gz", "facades")
        try:
            with tarfile.open(archive) as opened:
                opened.extractall(unpacked, filter="data")
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError([f"{url}: is damaged or unsafe: {error}"]) from error
        found = contents_sha256(unpacked / "facades")
        if found != CONTENTS:
            raise DataError(
                [f"{url}: has wrong contents: SHA-256 of its images {found}, expected {CONTENTS}"]
            )
        try:
            (unpacked / "facades").rename(folder)
        except OSError:
            if not folder.is_dir():  # another process may have created it
                raise
    return folder
