"""The archive of the CMP facades: nothing of it is unpacked before its contents are verified."""

import gzip
import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from i2i.datasets.dataset import SPLITS
from i2i.errors import DataError
from i2i.system.cache import cache_dir
from i2i.system.download import TooLarge, download
from i2i.system.files import remove_leftovers, safe_join, scratch
from i2i.system.locks import lock

ARCHIVE = "https://efrosgans.eecs.berkeley.edu/pix2pix/datasets/facades.tar.gz"
CONTENTS = "d0a4798330eb81caef903b6000237d7af7d7778ccf9cd8cfdf0159d3f78b680e"
"""The expected SHA-256 of the images; see `contents_sha256`."""

AT_MOST = 40_000_000
"""Largest number of bytes of the archive, and of what is in it. The official archive has 30,168,306
bytes, and its images 31,253,030."""


def fetched(url: str) -> Path:
    """The folder of the data in the user's cache; downloads the archive if it is missing.

    Raises:
        OSError: If the archive can't be downloaded or stored.
        DataError: If the archive is damaged or has other contents.
    """
    home = cache_dir() / "datasets"
    folder = home / "facades"
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with lock(home / ".facades.lock", waiting_for="fetching the facades", remove=True) as held:
        if held:
            remove_leftovers(home, folder.name)
        if not folder.is_dir():
            _fetch(url, folder)
    return folder


def contents_sha256(images: Iterable[tuple[PurePosixPath, IO[bytes]]]) -> str:
    """One SHA-256 over the relative paths and bytes of images, in any order."""
    digests: dict[PurePosixPath, bytes] = {}
    for name, file in images:
        whole = hashlib.sha256()
        while block := file.read(2**16):
            whole.update(block)
        digests[name] = whole.digest()
    whole = hashlib.sha256()
    for name in sorted(digests):
        whole.update(os.fsencode(str(name)) + b"\0" + digests[name])
    return whole.hexdigest()


def _fetch(url: str, folder: Path) -> None:
    with scratch(folder) as unfinished:
        try:
            archive = download(url, unfinished / "archive.tar.gz", "facades", at_most=AT_MOST)
            found = contents_sha256(_images(archive))
            if found != CONTENTS:
                raise DataError(
                    [
                        f"{url}: has wrong contents: SHA-256 of its images {found}, expected "
                        f"{CONTENTS}"
                    ]
                )
            for name, file in _images(archive):
                path = safe_join(unfinished / folder.name, str(name))
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as written:
                    shutil.copyfileobj(file, written)
        except TooLarge as error:
            raise DataError(
                [f"{url}: has more than {AT_MOST:,} bytes, so it is not the facades"]
            ) from error
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise DataError([f"{url}: is damaged or unsafe: {error}"]) from error
        try:
            (unfinished / folder.name).rename(folder)
        except OSError:
            if not folder.is_dir():  # another process without locks may have created it
                raise


def _images(archive: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """The files of the three splits, by their path below `facades`; each is read from a stream.

    Raises:
        TooLarge: If there are more than `AT_MOST` bytes.
    """
    total = 0
    with gzip.open(archive) as unpacked, tarfile.open(fileobj=_Limited(unpacked), mode="r|") as tar:
        for member in tar:
            total += member.size
            if total > AT_MOST:  # checked before the file: it may be sparse
                raise TooLarge(member.name)
            parts = PurePosixPath(member.name).parts
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None and parts[0] == "facades" and parts[1:2] and parts[1] in SPLITS:
                yield PurePosixPath(*parts[1:]), content


class _Limited(io.RawIOBase):
    """A stream that ends with an error after `AT_MOST` bytes; headers may be large, too."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = AT_MOST

    def readinto(self, buffer: Any) -> int:
        """Read up to as many bytes as fit into the buffer."""
        done = self._stream.readinto(buffer)
        self._left -= done
        if self._left < 0:
            raise TooLarge("the archive")
        return done
