"""Rows 1–8 and 12 of the faults: checkpoints damaged, malicious, cut short or unwritable."""

import json
import os
import pickle
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from i2i.errors import CheckpointError
from i2i.model import file as model_file
from i2i.model.file import load_model
from i2i.recipe import Recipe
from i2i.training import checkpoint as checkpoints
from i2i.training.checkpoint import clean, load_training, newest, prune, save, verify
from tests.processes import Run

Start = Callable[..., Run]


def net(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


def saved(folder: Path, step: int = 10, **changes: object) -> checkpoints.Checkpoint:
    training = {"step": step, "best": None, "numbers": torch.arange(4)}
    return save(
        folder,
        step,
        model=net(),
        recipe="name = 'x'",
        data="{}",
        training=training,
        best=None,
        **changes,
    )


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    model = net()
    written = save(
        tmp_path,
        7,
        model=model,
        recipe="name = 'x'",
        data="{}",
        training={"step": 7, "a": [1]},
        best=3,
    )
    found, passed_over = newest(tmp_path)
    assert found == written
    assert not passed_over
    other = net()
    load_model(written.path / "model.safetensors", other)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in model.state_dict().items())
    assert load_training(written) == {"step": 7, "a": [1]}
    _, metadata = model_file.read_model(written.path / "model.safetensors")
    assert metadata["recipe"] == "name = 'x'"


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_a_malicious_checkpoint_is_refused_and_never_runs(tmp_path: Path, form: str) -> None:
    found = saved(tmp_path / "c")
    trap, file = tmp_path / "trap", found.path / "training.pt"
    if form == "pickle":
        file.write_bytes(pickle.dumps(Payload(trap)))
    else:
        torch.save({"step": Payload(trap)}, file)
    manifest = json.loads((found.path / "manifest.json").read_text())
    manifest["sha256"]["training.pt"] = checkpoints.file_sha256(file)
    (found.path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="can't be read as plain data"):
        load_training(verify(found.path))
    assert not trap.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "training.pt", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "bit"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, name: str, damage: str
) -> None:
    before = saved(tmp_path, 10)
    file = saved(tmp_path, 20).path / name
    if damage == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif damage == "gone":
        file.unlink()
    else:
        flip(file, file.read_bytes().find(b"sha256") if name == "manifest.json" else 100)
    found, passed_over = newest(tmp_path)
    assert found == before
    assert str(file) in passed_over[0]


def test_one_flipped_bit_in_the_weights_is_refused(tmp_path: Path) -> None:
    found = saved(tmp_path)
    flip(found.path / "model.safetensors", -5)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: is damaged: its SHA-256"):
        verify(found.path)


OVERLAPPING = (
    b'{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},'
    b'"b":{"dtype":"F32","shape":[8],"data_offsets":[16,48]}}'
)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<Q", 2**62),
        struct.pack("<Q", 64) + b"{" * 64,
        struct.pack("<Q", len(OVERLAPPING)) + OVERLAPPING + b"\0" * 64,
    ],
    ids=["giant", "nonsense", "overlapping"],
)
def test_a_model_file_with_a_hostile_header_is_an_error(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(header)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: can't be read"):
        load_model(file, net())


def test_weights_of_another_architecture_are_listed(tmp_path: Path) -> None:
    found = saved(tmp_path)
    wider = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Identity(), nn.Conv2d(5, 1, 1))
    with pytest.raises(CheckpointError) as raised:
        load_model(found.path / "model.safetensors", wider)
    text = str(raised.value)
    for part in ("'0.weight' is [3, 3, 3, 3] instead of [5,", "'2.weight' is missing", "'1.bias'"):
        assert part in text


STAGES = ["mkdir", "write_tensors", "torch.save", "_sha256", "_sync", "write_text", "rename"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("replaces", [False, True])
def test_a_kill_at_any_stage_of_writing_leaves_the_checkpoint_before(
    tmp_path: Path, stage: str, replaces: bool
) -> None:
    before = saved(tmp_path, 10)
    child = os.fork()
    if child == 0:
        owner, name = {
            "mkdir": (Path, "mkdir"),
            "write_tensors": (model_file, "write_tensors"),
            "torch.save": (torch, "save"),
            "_sha256": (checkpoints, "file_sha256"),
            "_sync": (checkpoints, "_sync"),
            "write_text": (Path, "write_text"),
            "rename": (Path, "rename"),
        }[stage]
        original = getattr(owner, name)

        def dies_in_it(*arguments: object, **options: object) -> None:
            original(*arguments, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, dies_in_it)
        saved(tmp_path, 10 if replaces else 20)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    clean(tmp_path)
    found, _ = newest(tmp_path)
    assert found is not None
    assert found.step == (20 if stage == "rename" and not replaces else before.step)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_only_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        saved(tmp_path, step)
    prune(tmp_path, keep_last=2, best=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "step-00000002",
        "step-00000004",
        "step-00000005",
    ]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_an_error_and_the_old_checkpoint_is_intact(tiny_disk: Path) -> None:
    before = saved(tiny_disk, 10)
    large = nn.Linear(1000, 1000)
    with pytest.raises(
        CheckpointError, match=r"step-00000020: .*earlier checkpoints are untouched"
    ):
        save(tiny_disk, 20, model=large, recipe="", data="{}", training={}, best=None)
    assert newest(tiny_disk)[0] == before
    assert [path.name for path in tiny_disk.iterdir()] == ["step-00000010"]


def test_a_run_on_a_full_disk_ends_with_the_reason(
    i2i: Start, tiny_disk: Path, write_recipe: Callable[..., Path]
) -> None:
    run = i2i(
        "run", write_recipe(), "--out", tiny_disk / "run", "--set", "generator.base_channels=32"
    )
    assert run.status == 1
    assert "Traceback" not in run.output
    assert "No space left" in run.errors


def test_a_read_only_folder_is_an_error_before_the_first_step(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a read-only folder")
    try:
        run = i2i("run", write_recipe(), "--out", folder / "run")
        assert run.status == 1
        assert f"{folder / 'run'}: can't be written to" in run.errors
        assert "step 1" not in run.output
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_run_goes_back_to_the_newest_whole_checkpoint_and_says_so(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe()
    assert i2i("run", recipe, "--out", "whole").status == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    file = tmp_path / "cut/checkpoints/step-00000006/model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    run = i2i("run", recipe, "--out", "cut", "--resume")
    assert run.status == 0
    assert "skipped a damaged checkpoint" in run.output
    assert "resuming from step 4" in run.output
    one, other = (
        model_file.read_model(tmp_path / name / "checkpoints/step-00000006/model.safetensors")[0]
        for name in ("whole", "cut")
    )
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_loss_that_explodes_stops_the_run_and_keeps_the_last_good_checkpoint(
    i2i: Start,
    tmp_path: Path,
    write_recipe: Callable[..., Path],
    tiny_recipe: Callable[..., Recipe],
) -> None:
    recipe = write_recipe(losses=[{"type": "l2"}], train={"max_steps": 200})
    run = i2i("run", recipe, "--set", "losses.0.weight=1e38", "--set", "optimizer.lr=1e30")
    assert run.status == 1, run.output
    assert "Traceback" not in run.output
    assert "the batch was 0000" in run.errors
    assert "last good checkpoint is kept" in run.errors
    found, _ = newest(tmp_path / "runs/tiny/checkpoints")
    if found is not None:
        tensors, _ = model_file.read_model(found.path / "model.safetensors")
        assert all(tensor.isfinite().all() for tensor in tensors.values())


@pytest.mark.parametrize("umask", [0o002, 0o077], ids=oct)
def test_all_files_of_a_checkpoint_have_the_mode_that_the_umask_gives(
    tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        checkpoint = saved(tmp_path, 10)
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in checkpoint.path.iterdir()}
    assert modes == dict.fromkeys(modes, 0o666 & ~umask)
    assert "model.safetensors" in modes
