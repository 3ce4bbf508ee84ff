"""Files that take another's place in one go, and what killed processes leave of them."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from i2i.system.files import UNFINISHED, remove_leftovers, replacing, scratch, write_whole
from i2i.system.tensor_file import write_tensors

KILLED = """
import os, signal, sys
from pathlib import Path
from i2i.system.files import replacing
with replacing(Path(sys.argv[1])) as unfinished:
    unfinished.write_bytes(b"new")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_a_writer_of(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("sync", [True, False])
def test_the_new_file_takes_the_old_ones_place(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with replacing(path, sync=sync) as unfinished:
        unfinished.write_bytes(b"new")
        assert unfinished.suffix == ".png"
        assert unfinished.name.startswith(".")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as unfinished:
            unfinished.write_bytes(b"ne")
            raise ValueError("half of it")

    with pytest.raises(ValueError, match="half"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_disk_refuses_to_keep_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def refuses(_: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", refuses)
    with pytest.raises(OSError, match="broken"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with replacing(path, sync=False) as unfinished:
        unfinished.write_bytes(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".png", "é" * 125 + ".png", ".hidden", "none", "a.b."]
)
def test_every_name_that_a_file_can_have_will_do(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    kill_a_writer_of(tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 2
    remove_leftovers(tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    kill_a_writer_of(path)
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert UNFINISHED in left.name
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_only_what_was_to_become_the_named_file_is_removed(tmp_path: Path) -> None:
    for name in ("model.onnx", "model.v2.onnx", "model.pt2", "model"):
        kill_a_writer_of(tmp_path / name)
    before = set(tmp_path.iterdir())
    remove_leftovers(tmp_path, "model.onnx")
    (gone,) = before - set(tmp_path.iterdir())
    assert gone.suffix == ".onnx"
    assert ".v2." not in gone.name


def test_files_of_others_stay(tmp_path: Path) -> None:
    names = (
        f"a.1{UNFINISHED}.png",
        f".a{UNFINISHED}",
        ".a.1.unfinishedly",
        f".a.1{UNFINISHED}.b.c",
    )
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    remove_leftovers(tmp_path / "nowhere")


def test_leftovers_in_folders_below_are_removed_where_asked(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    kill_a_writer_of(tmp_path / "sub/a.png")
    remove_leftovers(tmp_path)
    assert len(list((tmp_path / "sub").iterdir())) == 1
    remove_leftovers(tmp_path, below=True)
    assert not list((tmp_path / "sub").iterdir())


def test_what_somebody_may_be_writing_stays_where_an_age_is_given(tmp_path: Path) -> None:
    kill_a_writer_of(tmp_path / "old.png")
    (old,) = tmp_path.iterdir()
    os.utime(old, (1, 1))
    kill_a_writer_of(tmp_path / "new.png")
    remove_leftovers(tmp_path, untouched_for=3600)
    (new,) = tmp_path.iterdir()
    assert new.name.startswith(".new.")


def test_a_folder_for_what_is_needed_on_the_way_is_removed_with_what_is_in_it(
    tmp_path: Path,
) -> None:
    with scratch(tmp_path / "a.png") as folder:
        (folder / "part").touch()
        (left,) = tmp_path.iterdir()
    assert not list(tmp_path.iterdir())
    left.mkdir()
    (left / "part").touch()
    remove_leftovers(tmp_path, "a.png")
    assert not list(tmp_path.iterdir())


@pytest.fixture(params=[0o002, 0o022, 0o077], ids=oct)
def new_file_mode(request: pytest.FixtureRequest) -> Iterator[int]:
    """The mode of new files under a umask that is in force during the test."""
    before = os.umask(request.param)
    yield 0o666 & ~request.param
    os.umask(before)


def test_files_have_the_mode_that_the_umask_gives(tmp_path: Path, new_file_mode: int) -> None:
    write_whole(tmp_path / "a.json", "{}")
    write_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(2)}, {})
    with replacing(tmp_path / "a.png") as unfinished:
        unfinished.touch(0o600)
        unfinished.chmod(0o600)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {new_file_mode}
    assert len(list(tmp_path.iterdir())) == 3


KILLED_IN_SAFETENSORS = """
import os, signal, sys
from pathlib import Path
import safetensors.torch, torch
from i2i.system.tensor_file import write_tensors
def save_file(tensors, path, metadata):
    path.with_name(".tmpAb12Cd").touch()  # what safetensors writes to
    os.kill(os.getpid(), signal.SIGKILL)
safetensors.torch.save_file = save_file
write_tensors(Path(sys.argv[1]), {"a": torch.zeros(2)}, {})
"""


def test_what_safetensors_leaves_when_it_is_killed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    done = subprocess.run([sys.executable, "-c", KILLED_IN_SAFETENSORS, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob(".tmp*"))
    remove_leftovers(tmp_path, path.name)
    assert not list(tmp_path.iterdir())
