"""Checkpoints: atomic writing, and verified reading.

The folder `step-00080000/` has three files: `model.safetensors` (the model and its recipe, which is
all that translation needs), `training.pt` (the other state, needed to resume) and `manifest.json`
(the SHA-256 of both, written last). If the manifest is missing or a file does not match it, the
folder does not count as a checkpoint.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from torch import nn

from i2i.errors import CheckpointError
from i2i.model.file import write_model
from i2i.system.hashing import file_sha256
from i2i.system.memory import give_back_freed_memory

MODEL = "model.safetensors"
TRAINING = "training.pt"
MANIFEST = "manifest.json"
_UNFINISHED = ".unfinished-"
_REPLACED = ".replaced-"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files match its manifest.

    Args:
        path: The checkpoint's folder.
        step: Number of steps done when it was saved.
        best: Step of the best checkpoint at that time; None if nothing was validated yet.
    """

    path: Path
    step: int
    best: int | None


def save(
    folder: Path,
    step: int,
    *,
    model: nn.Module,
    recipe: str,
    data: str,
    training: Mapping[str, Any],
    best: int | None,
) -> Checkpoint:
    """Write a checkpoint.

    Args:
        folder: The `checkpoints` folder of a run.
        step: Number of steps done.
        model: The generator to store, see `Trainer.model`.
        recipe: The resolved recipe in TOML, for the model file.
        data: The result of `DatasetInfo.to_json`, for the model file.
        training: State for `training.pt`: tensors, numbers, strings, and dicts and lists of them.
        best: Step of the best checkpoint so far.

    Raises:
        CheckpointError: If it can't be written; earlier checkpoints are unchanged.
    """
    path = folder / _name(step)
    unfinished = folder / f"{_UNFINISHED}{path.name}"
    give_back_freed_memory()  # before writing, which needs memory for copies of the tensors
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write_model(unfinished / MODEL, model, recipe=recipe, data=data, step=step)
        torch.save(dict(training), unfinished / TRAINING)
        manifest = {
            "step": step,
            "best": best,
            "sha256": {name: file_sha256(unfinished / name) for name in (MODEL, TRAINING)},
        }
        for name in (MODEL, TRAINING):
            _sync(unfinished / name)
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        _sync(unfinished / MANIFEST)
        if path.exists():
            path.rename(folder / f"{_REPLACED}{path.name}")
        unfinished.rename(path)
        _sync(folder)
        shutil.rmtree(folder / f"{_REPLACED}{path.name}", ignore_errors=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CheckpointError(
            f"{path}: the checkpoint can't be written: {error}; earlier checkpoints are untouched"
        ) from error
    return Checkpoint(path, step, best)


def newest(
    folder: Path, files: Sequence[str] = (MODEL, TRAINING)
) -> tuple[Checkpoint | None, list[str]]:
    """Find the newest undamaged checkpoint.

    Args:
        folder: The `checkpoints` folder of a run.
        files: The files that must be undamaged.

    Returns:
        The checkpoint (None if there is none), and one reason for each newer one that was skipped.
    """
    skipped: list[str] = []
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            return verify(path, files), skipped
        except CheckpointError as error:
            skipped.append(str(error))
    return None, skipped


def verify(path: Path, files: Sequence[str] = (MODEL, TRAINING)) -> Checkpoint:
    """Compare the files of a checkpoint with the SHA-256 in its manifest.

    Raises:
        CheckpointError: If a file is missing, truncated or changed; the message names it.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        step, best, sums = manifest["step"], manifest["best"], dict(manifest["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path / MANIFEST}: missing or damaged ({error})") from error
    for name in files:
        try:
            actual = file_sha256(path / name)
        except OSError as error:
            raise CheckpointError(f"{path / name}: can't be read: {error}") from error
        if actual != sums.get(name):
            raise CheckpointError(
                f"{path / name}: is damaged: its SHA-256 is {actual}, the manifest says "
                f"{sums.get(name)}"
            )
    return Checkpoint(path, step, best)


def to_use(folder: Path, weights: Literal["last", "best"]) -> tuple[Checkpoint, list[str]]:
    """Find the checkpoint to translate with.

    Args:
        folder: The `checkpoints` folder of a run.
        weights: `last` for the newest undamaged checkpoint, `best` for the best one in validation
            (the newest if nothing was validated); see `eval.weights`.

    Returns:
        The checkpoint, and one reason for each damaged one that was skipped.

    Raises:
        CheckpointError: If there is no undamaged checkpoint, or the best one is damaged.
    """
    checkpoint, skipped = newest(folder, (MODEL,))
    if checkpoint is None:
        raise CheckpointError(
            f"{folder.parent}: the run has no usable checkpoint to translate with", *skipped
        )
    if weights == "best" and checkpoint.best is not None:
        checkpoint = verify(at(folder, checkpoint.best), (MODEL,))
    return checkpoint, skipped


def load_training(checkpoint: Checkpoint) -> dict[str, Any]:
    """Read `training.pt`, the `training` argument of `save`.

    Only plain data is unpickled, so that a file cannot run code.

    Raises:
        CheckpointError: If the file can't be read, or has anything but plain data.
    """
    path = checkpoint.path / TRAINING
    try:
        loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{path}: can't be read as plain data: {reason}") from error
    return loaded


def clean(folder: Path) -> None:
    """Delete unfinished checkpoints of a killed process; restore one that it was replacing."""
    for path in folder.glob(f"{_REPLACED}*"):
        original = folder / path.name.removeprefix(_REPLACED)
        if original.exists():
            shutil.rmtree(path)
        else:
            path.rename(original)
    for path in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path)


def prune(folder: Path, keep_last: int, best: int | None) -> None:
    """Delete all checkpoints but the newest `keep_last` and the best."""
    kept = sorted(folder.glob("step-*"))[-keep_last:]
    for path in folder.glob("step-*"):
        if path not in kept and (best is None or path.name != _name(best)):
            # Delete the manifest first: a half-deleted folder must not count as a checkpoint.
            (path / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(path)


def at(folder: Path, step: int) -> Path:
    """The folder of the checkpoint of a step."""
    return folder / _name(step)


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _sync(path: Path) -> None:
    """Flush a file or folder to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
