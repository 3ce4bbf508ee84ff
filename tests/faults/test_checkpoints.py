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
from typing import Any

import pytest
import torch
from torch import nn

from i2i.errors import CheckpointError
from i2i.model import file as model_file
from i2i.model.file import load_model
from i2i.recipe import Recipe
from i2i.runs.run import run as run_recipe
from i2i.system.hashing import file_sha256
from i2i.training import checkpoint as checkpoints
from i2i.training.checkpoint import clean, load_training, newest, prune, save, to_use, verify
from tests.processes import Run

Start = Callable[..., Run]


def net(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width))


def saved(folder: Path, step: int = 10, **changes: Any) -> checkpoints.Checkpoint:
    arguments: dict[str, Any] = {
        "models": {"generator": net()},
        "recipe": "name = 'x'",
        "data": {"generator": "{}"},
        "training": {"step": step, "best": None, "numbers": torch.arange(4)},
        "best": None,
    }
    return save(folder, step, **arguments | changes)


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    model = net()
    written = save(
        tmp_path,
        7,
        models={"generator": model},
        recipe="name = 'x'",
        data={"generator": "{}"},
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


STAGES = ["mkdir", "write_tensors", "torch.save", "_sha256", "sync_file", "write_text", "rename"]


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
            "sync_file": (checkpoints, "sync_file"),
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
        save(
            tiny_disk,
            20,
            models={"generator": large},
            recipe="",
            data={"generator": "{}"},
            training={},
            best=None,
        )
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
    assert "No checkpoint was saved" in run.errors
    found, _ = newest(tmp_path / "runs/tiny/checkpoints")
    if found is not None:
        tensors, _ = model_file.read_model(found.path / "model.safetensors")
        assert all(tensor.isfinite().all() for tensor in tensors.values())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_complete_checkpoints_count_when_old_ones_are_removed(tmp_path: Path) -> None:
    for step in (2, 4, 6):
        saved(tmp_path, step)
    (tmp_path / "step-00000006/manifest.json").unlink()
    prune(tmp_path, keep_last=1, best=2)
    assert names(tmp_path) == ["step-00000002", "step-00000004", "step-00000006"]
    prune(tmp_path, keep_last=1, best=None)
    assert names(tmp_path) == ["step-00000004", "step-00000006"]


def test_only_their_own_names_are_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    for step in (2, 4, 6, 8):
        saved(folder, step)
    (folder / "step-00000002").rename(tmp_path / "elsewhere")
    (folder / "step-00000002").symlink_to(tmp_path / "elsewhere")
    shutil.copytree(folder / "step-00000004", folder / "step-00000004.bak")
    for name in ("step-4", "step-notes", "step-00000005.txt"):
        (folder / name).write_text("mine")
    prune(folder, keep_last=1, best=None)
    assert "step-00000004" not in names(folder)
    assert {"step-00000004.bak", "step-4", "step-notes", "step-00000005.txt"} <= {*names(folder)}
    assert verify(tmp_path / "elsewhere").step == 2
    saved(folder, 2)  # in the place of the link
    assert not (folder / "step-00000002").is_symlink()
    assert verify(tmp_path / "elsewhere").step == 2
    assert newest(folder)[0] == verify(folder / "step-00000008")


def test_steps_of_nine_digits_come_after_those_of_eight(tmp_path: Path) -> None:
    saved(tmp_path, 99_999_999)
    saved(tmp_path, 100_000_000)
    assert newest(tmp_path)[0] == verify(tmp_path / "step-100000000")


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_without_the_best_checkpoint_the_newest_is_used_and_it_is_said(
    tmp_path: Path, damage: str
) -> None:
    saved(tmp_path, 2)
    save(
        tmp_path,
        4,
        models={"generator": net()},
        recipe="",
        data={"generator": ""},
        training={},
        best=2,
    )
    assert to_use(tmp_path, "best")[0].step == 2
    if damage == "gone":
        shutil.rmtree(tmp_path / "step-00000002")
    else:
        flip(tmp_path / "step-00000002/model.safetensors", -1)
    found, skipped = to_use(tmp_path, "best")
    assert found.step == 4
    assert "step-00000002" in skipped[0]
    assert "newest" in skipped[0]


def test_a_run_that_goes_back_past_a_damaged_checkpoint_keeps_it_beside(
    i2i: Start, tmp_path: Path, trained: Path, write_recipe: Callable[..., Path]
) -> None:
    run = tmp_path / "r"
    shutil.copytree(trained, run)
    flip(run / "checkpoints/step-00000006/training.pt", 900)
    before = (run / "checkpoints/step-00000006/training.pt").read_bytes()
    options = ("--set", "checkpoint.keep_last=1", "--set", "checkpoint.every=1")
    resumed = i2i("run", write_recipe(), "--out", "r", "--resume", *options, "--max-steps", 5)
    assert resumed.status == 0, resumed.output
    assert "skipped a damaged checkpoint" in resumed.output
    aside = run / "checkpoints/step-00000006.damaged"
    assert str(aside.name) in resumed.output
    assert (aside / "training.pt").read_bytes() == before
    assert newest(run / "checkpoints")[0] == verify(run / "checkpoints/step-00000005")


def test_a_run_whose_checkpoints_are_all_damaged_is_not_begun_anew(
    i2i: Start, tmp_path: Path, trained: Path, write_recipe: Callable[..., Path]
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    for path in (tmp_path / "r/checkpoints").glob("step-*/training.pt"):
        path.write_bytes(path.read_bytes()[:-1])
    before = names(tmp_path / "r/checkpoints")
    resumed = i2i("run", write_recipe(), "--out", "r", "--resume")
    assert resumed.status == 1
    assert "no checkpoint can be resumed" in resumed.errors
    assert "--overwrite" in resumed.errors
    assert names(tmp_path / "r/checkpoints") == before


def test_a_resumed_run_that_is_finished_removes_what_a_kill_left_too_much(
    tmp_path: Path, trained: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    assert len(names(tmp_path / "r/checkpoints")) > 1
    run_recipe(
        tiny_recipe(checkpoint={"keep_last": 1}), out=tmp_path / "r", resume=True, quiet=True
    )
    best = verify(tmp_path / "r/checkpoints/step-00000006").best
    kept = {"step-00000006", f"step-{best:08d}"}
    assert {*names(tmp_path / "r/checkpoints")} == kept


def test_weights_that_are_not_finite_are_neither_saved_nor_used(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path], trained: Path
) -> None:
    recipe = write_recipe(losses=[{"type": "l1"}], checkpoint={"every": 1, "keep_last": 1})
    one = i2i("run", recipe, "--out", "a", "--max-steps", 1)
    assert one.status == 0
    diverged = i2i(
        "run", recipe, "--out", "a", "--resume", "--set", "optimizer.lr=1e39", "--max-steps", 2
    )
    assert diverged.status == 1
    assert "the generator's weights are not finite" in diverged.errors
    assert "checkpoint of step 1 is kept" in diverged.errors
    assert verify(tmp_path / "a/checkpoints/step-00000001").step == 1
    kept = trained / "checkpoints/step-00000006/model.safetensors"
    tensors, metadata = model_file.read_model(kept)
    model = nn.Module()
    for name, tensor in tensors.items():
        inner = model
        for part in name.split(".")[:-1]:
            if not hasattr(inner, part):
                inner.add_module(part, nn.Module())
            inner = getattr(inner, part)
        inner.register_buffer(name.split(".")[-1], tensor)
    next(iter(model.buffers()))[0] = float("inf")
    described = {key: metadata[key] for key in ("recipe", "data")}
    model_file.write_model(tmp_path / "bad.safetensors", model, step=6, **described)
    used = i2i("translate", "bad.safetensors", trained / "evaluation/images", "--out", "o")
    assert used.status == 1
    assert "not finite" in used.errors
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda t: t["optimizers"]["generator"]["state"][0].update(exp_avg=torch.zeros(7)),
            "exp_avg",
        ),
        (lambda t: t["optimizers"]["generator"]["state"][1].pop("exp_avg_sq"), "generator.1"),
        (lambda t: t["optimizers"]["generator"]["state"][1].update(step=torch.zeros(3)), "step"),
        (lambda t: t["optimizers"].pop("generator"), "'generator' is missing"),
        (lambda t: t["optimizers"]["generator"]["state"].update({99: {}}), "generator.99"),
        (lambda t: t["networks"].clear(), "networks"),
        (lambda t: t.update(step=-1), "step"),
        (lambda t: t.update(best=[1]), "best"),
        (lambda t: t.pop("scaler"), "scaler"),
        (lambda t: t.update(averaged="x"), "averaged"),
    ],
)
def test_a_training_state_that_does_not_fit_is_listed_before_it_is_loaded(
    tiny_recipe: Callable[..., Recipe],
    trained: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    named: str,
) -> None:
    shutil.copytree(trained, tmp_path / "r")
    folder = tmp_path / "r/checkpoints/step-00000006"
    state = torch.load(folder / "training.pt", weights_only=True)
    change(state)
    torch.save(state, folder / "training.pt")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"]["training.pt"] = file_sha256(folder / "training.pt")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match=named) as raised:
        run_recipe(tiny_recipe(), out=tmp_path / "r", resume=True, quiet=True)
    assert str(folder / "training.pt") in str(raised.value)


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
