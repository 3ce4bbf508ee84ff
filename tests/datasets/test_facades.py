"""The CMP facades: a folder, an archive that is fetched once, or a stand-in that says so."""

import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from i2i.datasets.dataset import SPLITS
from i2i.datasets.facades import Facades
from i2i.datasets.facades_archive import ARCHIVE, AT_MOST, CONTENTS, contents_sha256
from i2i.datasets.folders import Folders
from i2i.datasets.synthetic import Synthetic
from i2i.errors import DataError
from i2i.images import png_bytes

NO_HTTP = "no HTTP"
"""Announced of what is sent without a status and headers."""
NO_LENGTH = "no length"
"""Announced of what is sent until the connection closes."""


class Site(ThreadingHTTPServer):
    """A site of files, each with the length that it announces."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files: dict[str, tuple[bytes | Path, int | str]] = {}
        self.asked: list[str] = []
        self.hold: threading.Event | None = None

    def offer(self, name: str, content: bytes | Path, announced: int | str = "") -> str:
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        self.files[f"/{name}"] = content, size if announced == "" else announced
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Any = self.server
        site.asked.append(self.path)
        if self.path not in site.files:
            self.send_error(404)
            return
        content, announced = site.files[self.path]
        if announced != NO_HTTP:
            self.send_response(200)
            if announced != NO_LENGTH:
                self.send_header("Content-Length", str(announced))
            self.end_headers()
        try:
            self.wfile.write(content.read_bytes() if isinstance(content, Path) else content)
        except (BrokenPipeError, ConnectionResetError):
            return
        if site.hold is not None:
            site.hold.wait(60)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def real_archive(real_facades: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real pictures packed as the official archive is."""
    path = tmp_path_factory.mktemp("archive") / "facades.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for split in SPLITS:
            archive.add(real_facades / split, f"facades/{split}")
    return path


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def unreachable() -> str:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        return f"http://127.0.0.1:{server.server_port}/facades.tar.gz"


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_is_read_in_both_directions(real_facades: Path) -> None:
    to_photo = Facades(real_facades)
    to_label = Facades(real_facades, direction="photo_to_label")
    assert [len(to_photo.pairs(split)) for split in SPLITS] == [400, 100, 106]
    label, photo = to_photo.pairs("val")[3].load((256, 256))
    other, one = to_label.pairs("val")[3].load((256, 256))
    np.testing.assert_array_equal(label, one)
    np.testing.assert_array_equal(photo, other)
    assert label[..., 2].mean() - label[..., 0].mean() > 50, "label maps are mostly blue"
    assert to_photo.notice == ""
    assert "CMP" in to_photo.credit


def test_the_pinned_contents_are_the_real_ones(real_facades: Path) -> None:
    assert contents_sha256(images_in(real_facades)) == CONTENTS


def images_in(folder: Path) -> Iterator[tuple[PurePosixPath, io.BytesIO]]:
    for split in SPLITS:
        for file in (folder / split).rglob("*.jpg"):
            yield PurePosixPath(file.relative_to(folder)), io.BytesIO(file.read_bytes())


def test_the_contents_hash_sees_every_name_byte_and_split(tmp_path: Path) -> None:
    def made(**files: bytes) -> str:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for name, content in files.items():
            path = folder / f"{name.replace('_', '/')}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return contents_sha256(images_in(folder))

    first = made(train_1=b"ab", val_1=b"c")
    assert first == made(val_1=b"c", train_1=b"ab")
    others = [
        made(train_1=b"ab", val_1=b"d"),
        made(train_1=b"a", val_1=b"bc"),
        made(train_1=b"ab", test_1=b"c"),
        made(train_2=b"ab", val_1=b"c"),
        made(train_1=b"ab"),
    ]
    assert len({first, *others}) == 6


def test_the_archive_is_fetched_once_and_kept(site: Site, real_archive: Path, cache: Path) -> None:
    url = site.offer("facades.tar.gz", real_archive)
    for _ in range(2):
        dataset = Facades(url=url)
        assert [len(dataset.pairs(split)) for split in SPLITS] == [400, 100, 106]
        assert dataset.notice == ""
    assert site.asked == ["/facades.tar.gz"]
    assert all(cache in pair.files[0].parents for pair in dataset.pairs("train"))
    assert len(left_in(cache)) == 606


def test_other_contents_are_refused_with_what_was_expected(site: Site, cache: Path) -> None:
    picture = png_bytes(np.zeros((8, 16, 3), np.uint8))
    url = site.offer("other.tar.gz", packed({"facades/train/1.jpg": picture}))
    for fallback in ("error", "synthetic"):
        with pytest.raises(DataError) as caught:
            Facades(url=url, fallback=fallback).pairs("train")
        assert url in str(caught.value)
        assert CONTENTS in str(caught.value)
    assert left_in(cache) == []


@pytest.mark.parametrize("name", ["../../escaped.txt", "facades/../../../escaped.txt"])
def test_an_archive_can_not_write_outside_of_its_folder(site: Site, cache: Path, name: str) -> None:
    url = site.offer("evil.tar.gz", packed({"facades/train/1.jpg": b"x", name: b"evil"}))
    with pytest.raises(DataError, match="evil"):
        Facades(url=url, fallback="synthetic").pairs("train")
    assert left_in(cache) == []
    assert not list(cache.parent.glob("**/escaped.txt"))


def test_a_link_in_an_archive_can_not_lead_out(site: Site, cache: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("facades/train")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    with pytest.raises(DataError, match="link"):
        Facades(url=site.offer("link.tar.gz", buffer.getvalue())).pairs("train")
    assert left_in(cache) == []


def damaged_archives() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    whole = packed({f"facades/train/{i}.jpg": rng.bytes(2000) for i in range(20)})
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    return {
        "html": b"<html>please log in to this network</html>",
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "flipped": bytes(flipped),
        "start only": whole[:5],
        "not tar": packed({"a": b""})[:3] + whole[3:][::-1],
    }


@pytest.mark.parametrize("kind", sorted(damaged_archives()))
def test_a_damaged_archive_is_an_error_that_names_it(site: Site, cache: Path, kind: str) -> None:
    url = site.offer("facades.tar.gz", damaged_archives()[kind])
    for fallback in ("error", "synthetic"):
        with pytest.raises(DataError) as caught:
            Facades(url=url, fallback=fallback).pairs("train")
        assert url in str(caught.value)
    assert left_in(cache) == []


def unavailable(site: Site) -> dict[str, str]:
    return {
        "offline": unreachable(),
        "no such file": f"http://127.0.0.1:{site.server_port}/none",
        "connection lost": site.offer("cut.tar.gz", b"x" * 1000, announced=5000),
        "no such host": "http://no-such-host.invalid/facades.tar.gz",
        "no such kind of address": "facades.tar.gz",
        "length that is no number": site.offer("odd.tar.gz", b"x", announced="many"),
        "no HTTP": site.offer("chatter", b"220 ready\r\n", announced=NO_HTTP),
    }


@pytest.mark.parametrize(
    "why",
    [
        "offline",
        "no such file",
        "connection lost",
        "no such host",
        "no such kind of address",
        "length that is no number",
        "no HTTP",
    ],
)
def test_without_the_archive_the_error_tells_the_two_ways_out(
    site: Site, cache: Path, why: str
) -> None:
    url = unavailable(site)[why]
    with pytest.raises(DataError) as caught:
        Facades(url=url).pairs("train")
    for word in (url, "data.root", "data.fallback"):
        assert word in str(caught.value)
    assert left_in(cache) == []


@pytest.mark.parametrize("direction", ["label_to_photo", "photo_to_label"])
def test_the_stand_in_is_used_if_asked_for_and_says_so_loudly(direction: Any) -> None:
    url = unreachable()
    dataset = Facades(url=url, fallback="synthetic", direction=direction)
    pairs = {split: dataset.pairs(split) for split in SPLITS}
    assert [len(pairs[split]) for split in SPLITS] == [400, 100, 106]
    assert "SYNTHETIC" in dataset.notice
    assert url in dataset.notice
    assert "CMP Facade Database" not in dataset.credit
    expected = Synthetic(direction=direction).pairs("val")[7].load((32, 32))
    for one, other in zip(pairs["val"][7].load((32, 32)), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_root_that_is_not_there_never_falls_back(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none"):
        Facades(tmp_path / "none", fallback="synthetic").pairs("train")


def test_processes_that_fetch_at_once_share_one_folder(
    site: Site, real_archive: Path, cache: Path
) -> None:
    url = site.offer("facades.tar.gz", real_archive)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(Facades(url=url).pairs("test"))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [106] * 3
    assert len(left_in(cache)) == 606


def test_the_official_archive_is_the_default() -> None:
    assert ARCHIVE == "https://efrosgans.eecs.berkeley.edu/pix2pix/datasets/facades.tar.gz"


def test_the_folder_is_read_like_any_other(real_facades: Path) -> None:
    ours = Facades(real_facades).pairs("val")
    theirs = Folders(real_facades, input_side="right").pairs("val")
    assert [(p.name, p.digest()) for p in ours] == [(p.name, p.digest()) for p in theirs]


class Zeros(io.RawIOBase):
    """Zeros without end."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def bomb(kind: str) -> bytes:
    """A small archive that is large once it is unpacked."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        if kind == "one file":
            file = tarfile.TarInfo("facades/train/1.jpg")
            file.size = 2 * AT_MOST
            archive.addfile(file, Zeros())
        elif kind == "many files":
            for i in range(20):
                file = tarfile.TarInfo(f"facades/other/{i}.jpg")
                file.size = AT_MOST // 10
                archive.addfile(file, Zeros())
        else:
            file = tarfile.TarInfo("facades/train/1.jpg")
            file.pax_headers = {"comment": "0" * (2 * AT_MOST)}
            archive.addfile(file)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["one file", "many files", "header"])
def test_an_archive_that_grows_when_unpacked_is_refused_before_it_is_unpacked(
    site: Site, cache: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.offer("bomb.tar.gz", bomb(kind))
    written: list[str] = []
    real = Path.open

    def watched(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if mode.startswith("w"):
            written.append(path.name)
        return real(path, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", watched)
    with pytest.raises(DataError, match=f"more than {AT_MOST:,} bytes"):
        Facades(url=url, fallback="synthetic")
    assert "archive.tar.gz" in written
    assert not any(name.endswith(".jpg") for name in written)
    assert left_in(cache) == []


@pytest.mark.parametrize("announced", [AT_MOST + 1, NO_LENGTH])
def test_a_download_without_end_is_stopped(site: Site, cache: Path, announced: int | str) -> None:
    url = site.offer("long.tar.gz", bytes(AT_MOST + 2**20), announced=announced)
    with pytest.raises(DataError, match="more than"):
        Facades(url=url, fallback="synthetic")
    assert left_in(cache) == []


def test_what_a_killed_fetch_left_is_removed_by_the_next(site: Site, cache: Path) -> None:
    import multiprocessing

    url = site.offer("half.tar.gz", b"x" * 1000, announced=AT_MOST)
    hanging = threading.Event()
    site.hold = hanging
    process = multiprocessing.get_context("fork").Process(target=Facades, kwargs={"url": url})
    process.start()
    while not list((cache / "datasets").glob(".facades.*.unfinished/*")):
        process.join(0.05)
    process.kill()
    process.join()
    hanging.set()
    assert left_in(cache)
    with pytest.raises(DataError):
        Facades(url=site.offer("other.tar.gz", packed({"a": b"b"})))
    assert list((cache / "datasets").iterdir()) == []
