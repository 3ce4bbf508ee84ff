"""A split decoded once: what is kept, when it is made again, and what stands in its way."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from i2i.datasets import decoded as module
from i2i.datasets.dataset import Dataset, Pair, Split
from i2i.datasets.decoded import Decoded, decode
from i2i.datasets.folders import Folders
from i2i.errors import DataError
from i2i.images import save_image
from i2i.images.types import Size
from i2i.system.files import UNFINISHED

Array = NDArray[Any]


class Counted(Dataset):
    """Pairs made of their own names, which count how often they are made."""

    def __init__(self, *names: str, bad: tuple[str, ...] = (), version: str = "") -> None:
        self.names, self.bad, self.version = names, bad, version
        self.loads = 0

    def pairs(self, split: Split) -> list[Pair]:
        chosen = self.names if split == "train" else ()
        return [
            Pair(name, self._loader(name), self._digester(name), (Path(f"{name}.png"),))
            for name in chosen
        ]

    def _loader(self, name: str) -> Callable[[Size], tuple[Array, Array]]:
        def load(size: Size) -> tuple[Array, Array]:
            self.loads += 1
            if name in self.bad:
                raise DataError([f"{name}.png: is damaged"])
            value = sum(name.encode()) % 200
            image = np.full((*size, 3), value, np.uint8)
            return image, image + np.uint8(1)

        return load

    def _digester(self, name: str) -> Callable[[], bytes]:
        return lambda: hashlib.sha256((name + self.version).encode()).digest()


def same(one: Decoded, other: Decoded) -> bool:
    return (
        (one.names, one.files, one.skipped, one.fingerprint)
        == (other.names, other.files, other.skipped, other.fingerprint)
    ) and bool((one.array == other.array).all())


def side_by_side(root: Path, count: int = 4) -> Path:
    rng = np.random.default_rng(0)
    for i in range(count):
        save_image(rng.integers(0, 256, (16, 32, 3), dtype=np.uint8), root / "train" / f"{i}")
    return root


def kept(cache: Path) -> list[Path]:
    """The arrays in the cache, the large files of it."""
    return sorted((f for f in cache.rglob("*") if f.is_file()), key=lambda f: -f.stat().st_size)


# What comes out


def test_input_and_target_are_stacked_in_the_pairs_order() -> None:
    decoded = decode(Counted("b", "a", "c"), "train", (4, 6))
    assert decoded.array.shape == (3, 6, 4, 6)
    assert decoded.array.dtype == np.uint8
    assert decoded.names == ("b", "a", "c")
    assert decoded.files == ((Path("b.png"),), (Path("a.png"),), (Path("c.png"),))
    assert decoded.input_channels == 3
    for row, name in zip(decoded.array, decoded.names, strict=True):
        assert (row[:3] == sum(name.encode()) % 200).all()
        assert (row[3:] == sum(name.encode()) % 200 + 1).all()


def test_the_order_holds_however_many_threads_work(tmp_path: Path) -> None:
    names = [f"{i:03d}" for i in range(600)]
    one = decode(Counted(*names), "train", (2, 2), workers=1)
    shutil.rmtree(os.environ["I2I_CACHE_DIR"])
    assert same(decode(Counted(*names), "train", (2, 2), workers=7), one)


def test_a_split_that_is_not_there_has_no_pairs() -> None:
    decoded = decode(Counted("a"), "test", (4, 4))
    assert decoded.array.shape == (0, 6, 4, 4)
    assert (decoded.names, decoded.skipped) == ((), ())


def test_full_depth_and_any_channels_are_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    (tmp_path / "train").mkdir()
    whole = rng.integers(0, 65536, (8, 16, 5), dtype=np.uint16)
    np.save(tmp_path / "train" / "a.npy", whole)
    dataset = Folders(tmp_path, input_mode="channels", target_mode="channels", depth=16)
    decoded = decode(dataset, "train", (8, 8))
    assert decoded.array.dtype == np.uint16
    assert decoded.input_channels == 5
    np.testing.assert_array_equal(
        decoded.array[0], np.concatenate([whole[:, :8], whole[:, 8:]], axis=2).transpose(2, 0, 1)
    )


def test_pictures_with_other_channels_than_the_first_are_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name, channels in (("a", 5), ("b", 4)):
        np.save(tmp_path / "train" / f"{name}.npy", np.zeros((8, 16, channels), np.uint8))
    with pytest.raises(DataError, match=r"\bb\b.*channels"):
        decode(Folders(tmp_path, input_mode="channels", target_mode="channels"), "train", (8, 8))


@pytest.mark.parametrize("wrong", [((5, 4, 3), (4, 4, 3)), ((4, 4, 2), (4, 4, 4))])
def test_a_data_set_that_breaks_its_promise_is_told_so(wrong: tuple[Any, Any]) -> None:
    class Broken(Counted):
        def _loader(self, name: str) -> Callable[[Size], tuple[Array, Array]]:
            return lambda _: (np.zeros(wrong[0], np.uint8), np.zeros(wrong[1], np.uint8))

    with pytest.raises(DataError, match="a"):
        decode(Broken("a"), "train", (4, 4))


# Kept and made again


def test_a_second_call_decodes_nothing() -> None:
    dataset = Counted("a", "b")
    first = decode(dataset, "train", (4, 4))
    assert dataset.loads == 2
    assert same(decode(dataset, "train", (4, 4)), first)
    assert dataset.loads == 2


@pytest.mark.parametrize(
    ("other", "size"),
    [
        (Counted("a", "b", "c"), (4, 4)),
        (Counted("b", "a"), (4, 4)),
        (Counted("a", "b", version="2"), (4, 4)),
        (Counted("a", "b"), (4, 5)),
        (Counted("a", "x"), (4, 4)),
    ],
    ids=["more pairs", "another order", "other contents", "another size", "other names"],
)
def test_what_is_different_is_decoded_anew(other: Counted, size: Size) -> None:
    other.loads = 0
    decode(Counted("a", "b"), "train", (4, 4))
    decoded = decode(other, "train", size)
    assert other.loads == len(other.names)
    assert decoded.names == other.names


def test_the_fingerprint_follows_contents_and_names_but_not_the_size() -> None:
    first = decode(Counted("a", "b"), "train", (4, 4)).fingerprint
    assert len(bytes.fromhex(first)) == 32
    assert decode(Counted("a", "b"), "train", (8, 8)).fingerprint == first
    assert decode(Counted("a", "b", version="2"), "train", (4, 4)).fingerprint != first
    assert decode(Counted("a", "c"), "train", (4, 4)).fingerprint != first


@pytest.mark.parametrize("harm", ["cut", "grown", "emptied", "removed", "flipped"])
def test_a_damaged_file_in_the_cache_is_made_again(cache: Path, harm: str) -> None:
    dataset = Counted("a", "b", "c")
    first = decode(dataset, "train", (16, 16))
    for path in kept(cache):
        content = path.read_bytes()
        harmed = {
            "cut": content[: len(content) // 2],
            "grown": content + b"x",
            "emptied": b"",
            "flipped": bytes([content[0] ^ 1]) + content[1:],
        }
        if harm == "removed":
            path.unlink()
        else:
            path.write_bytes(harmed[harm])
        dataset.loads = 0
        assert same(decode(dataset, "train", (16, 16)), first), path.name
        assert same(decode(dataset, "train", (16, 16)), first)


@pytest.mark.parametrize(
    "about", ["", "[]", "{}", '{"shape": [3, 6, 4, 4], "dtype": "uint8"}', "{"]
)
def test_a_damaged_description_in_the_cache_is_made_again(cache: Path, about: str) -> None:
    dataset = Counted("a", "b", "c")
    first = decode(dataset, "train", (4, 4))
    (path,) = cache.rglob("*.json")
    path.write_text(about)
    assert same(decode(dataset, "train", (4, 4)), first)
    assert dataset.loads == 6


def test_a_large_array_is_mapped_and_not_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    small = decode(Counted("a", "b"), "train", (4, 4))
    assert not isinstance(small.array, np.memmap)
    monkeypatch.setattr(module, "IN_MEMORY_UP_TO", 10)
    large = decode(Counted("a", "b"), "train", (4, 4))
    assert isinstance(large.array, np.memmap)
    assert same(small, large)
    with pytest.raises(ValueError, match="read-only"):
        large.array[0] = 0


# Unreadable pairs


def test_all_unreadable_pairs_are_listed_together() -> None:
    dataset = Counted("a", "b", "c", "d", bad=("b", "d"))
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            decode(dataset, "train", (4, 4))
        assert caught.value.problems == ("b.png: is damaged", "d.png: is damaged")


def test_unreadable_pairs_are_skipped_and_reported_if_asked() -> None:
    dataset = Counted("a", "b", "c", "d", bad=("b", "d"))
    decoded = decode(dataset, "train", (4, 4), on_bad="skip")
    assert decoded.names == ("a", "c")
    assert decoded.files == ((Path("a.png"),), (Path("c.png"),))
    assert decoded.array[:, 0, 0, 0].tolist() == [ord("a"), ord("c")]
    assert decoded.skipped == (("b", "b.png: is damaged"), ("d", "d.png: is damaged"))
    assert decoded.fingerprint == decode(Counted("a", "c"), "train", (4, 4)).fingerprint
    assert same(decode(dataset, "train", (4, 4), on_bad="skip"), decoded)


def test_every_pair_may_be_unreadable() -> None:
    dataset = Counted("a", "b", bad=("a", "b"))
    decoded = decode(dataset, "train", (4, 4), on_bad="skip")
    assert decoded.array.shape == (0, 6, 4, 4)
    assert len(decoded.skipped) == 2


def harm_files(root: Path) -> None:
    """Damage three of the side-by-side images, each in its own way."""
    folder = root / "train"
    whole = (folder / "0.png").read_bytes()
    (folder / "0.png").write_bytes(whole[: len(whole) // 2])
    (folder / "1.png").write_bytes(b"")
    (folder / "2.png").write_text("<html>not found</html>")


def test_damaged_files_are_found_before_the_first_step(tmp_path: Path) -> None:
    harm_files(side_by_side(tmp_path, 5))
    with pytest.raises(DataError) as caught:
        decode(Folders(tmp_path), "train", (8, 8))
    assert len(caught.value.problems) == 3
    assert all(f"{i}.png" in problem for i, problem in enumerate(caught.value.problems))
    assert caught.value.exit_code == 2
    decoded = decode(Folders(tmp_path), "train", (8, 8), on_bad="skip")
    assert decoded.names == ("3", "4")
    assert [name for name, _ in decoded.skipped] == ["0", "1", "2"]


def test_a_repaired_file_is_read_again(tmp_path: Path) -> None:
    harm_files(side_by_side(tmp_path, 5))
    decode(Folders(tmp_path), "train", (8, 8), on_bad="skip")
    side_by_side(tmp_path, 5)
    assert len(decode(Folders(tmp_path), "train", (8, 8)).names) == 5


def test_files_that_are_gone_are_listed_with_the_others_or_skipped(tmp_path: Path) -> None:
    dataset = Folders(side_by_side(tmp_path, 4))
    for i in (1, 3):
        (tmp_path / "train" / f"{i}.png").unlink()
    with pytest.raises(DataError) as caught:
        decode(dataset, "train", (8, 8))
    assert len(caught.value.problems) == 2
    assert decode(dataset, "train", (8, 8), on_bad="skip").names == ("0", "2")


# The cache folder


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small tmpfs can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_half_written_is_left(
    tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tiny_disk))
    with pytest.raises(DataError, match="I2I_CACHE_DIR") as caught:
        decode(Counted(*map(str, range(50))), "train", (32, 32))
    assert str(tiny_disk) in str(caught.value)
    assert "space" in str(caught.value)
    assert not [file for file in tiny_disk.rglob("*") if file.is_file()]
    assert len(decode(Counted("a"), "train", (8, 8)).names) == 1


def test_a_disk_that_is_full_at_the_last_moment_keeps_nothing_either(
    tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("I2I_CACHE_DIR", str(tiny_disk))
    dataset = Counted(*map(str, range(10)))
    (tiny_disk / "other").write_bytes(b"x" * (2**16 - 10 * 6 * 32 * 32))
    with pytest.raises(DataError, match="space"):
        decode(dataset, "train", (32, 32))
    assert [file for file in tiny_disk.rglob("*") if file.is_file()] == [tiny_disk / "other"]
    (tiny_disk / "other").unlink()
    assert len(decode(dataset, "train", (32, 32)).names) == 10


def test_another_processs_file_may_vanish_while_leftovers_are_looked_for(cache: Path) -> None:
    (cache / "decoded").mkdir()
    (cache / "decoded" / f".other.1{UNFINISHED}.raw").symlink_to(cache / "gone")
    assert decode(Counted("a"), "train", (4, 4)).names == ("a",)


def test_a_cache_that_is_no_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(DataError, match="I2I_CACHE_DIR"):
        decode(Counted("a"), "train", (4, 4))


SLOW_WRITER = """
    import sys, time
    from pathlib import Path
    from i2i.datasets.decoded import decode
    from i2i.datasets.synthetic import Synthetic

    class Slow(Synthetic):
        def _draw(self, split, index, size):
            if index == 150:
                Path(sys.argv[1]).touch()
                time.sleep(float(sys.argv[2]))
            return super()._draw(split, index, size)

    print(decode(Slow(train=600), "train", (16, 16), workers=1).fingerprint)
"""


def writer(flag: Path, seconds: float) -> subprocess.Popen[str]:
    code = textwrap.dedent(SLOW_WRITER)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(flag), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_writer_leaves_nothing_that_is_taken_for_whole(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from i2i.datasets.synthetic import Synthetic

    process = writer(tmp_path / "flag", 60)
    while not (tmp_path / "flag").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    decoded = decode(Synthetic(train=600), "train", (16, 16))
    assert decoded.array.shape[0] == 600
    monkeypatch.setattr(module, "ABANDONED_AFTER", -1.0)
    decode(Counted("a"), "train", (4, 4))
    assert not list(cache.rglob(f".*{UNFINISHED}*"))


def test_processes_that_decode_the_same_at_once_get_the_same(tmp_path: Path) -> None:
    processes = [writer(tmp_path / f"{i}", 0.3) for i in range(3)]
    fingerprints = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(fingerprints) == 1


def test_threads_that_decode_the_same_at_once_get_the_same() -> None:
    def decoded(_: int) -> Decoded:
        return decode(Counted(*map(str, range(50))), "train", (8, 8), workers=2)

    with ThreadPoolExecutor(6) as pool:
        first, *others = pool.map(decoded, range(12))
    assert all(same(first, other) for other in others)


def test_the_real_facades_decode_to_what_is_in_the_files(real_facades: Path) -> None:
    decoded = decode(Folders(real_facades, input_side="right"), "val", (256, 256))
    assert decoded.array.shape == (100, 6, 256, 256)
    assert decoded.skipped == ()
    labels, photos = decoded.array[:, :3], decoded.array[:, 3:]
    blue = (labels[:, 2].astype(int) - labels[:, 0]).mean()
    assert blue > 100 > abs((photos[:, 2].astype(int) - photos[:, 0]).mean())
