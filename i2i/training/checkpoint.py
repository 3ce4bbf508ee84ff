"""Checkpoints: written whole or not at all, and read only if every byte is as it was written.

`step-00080000/` holds `model.safetensors` (the model, with its recipe: all that translation
needs), `training.pt` (the rest, to go on training) and `manifest.json`, written last, with the
SHA-256 of both. A folder without a manifest that holds is no checkpoint.
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
    """A checkpoint whose manifest holds.

    Args:
        path: Its folder.
        step: After how many steps it was saved.
        best: The step of the best checkpoint when this one was saved; None if none was measured.
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
    """Write a checkpoint into the folder of checkpoints.

    Args:
        folder: A run's `checkpoints`.
        step: After how many steps.
        model: The generator as it is to be used.
        recipe: The resolved recipe in TOML; kept in the model file.
        data: What `DatasetInfo.to_json` says of the data; kept there, too.
        training: Tensors, numbers, texts, and dicts and lists of them.
        best: The best checkpoint's step so far.

    Raises:
        CheckpointError: If it can't be written; what was there before is untouched.
    """
    path = folder / _name(step)
    unfinished = folder / f"{_UNFINISHED}{path.name}"
    give_back_freed_memory()  # what is copied for the files comes on top of it
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
    """The newest checkpoint that is whole, and why newer ones were passed over."""
    passed_over: list[str] = []
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            return verify(path, files), passed_over
        except CheckpointError as error:
            passed_over.append(str(error))
    return None, passed_over


def verify(path: Path, files: Sequence[str] = (MODEL, TRAINING)) -> Checkpoint:
    """Check every byte of a checkpoint against its manifest, or of some of its files.

    Raises:
        CheckpointError: If a file is missing, cut or changed; the file is named.
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
    """The checkpoint whose model is used, and why newer ones were passed over.

    Args:
        folder: A run's `checkpoints`.
        weights: The newest whole one, or the one that was best in validation; as `[eval]` says.

    Raises:
        CheckpointError: If there is none.
    """
    checkpoint, passed_over = newest(folder, (MODEL,))
    if checkpoint is None:
        reasons = "".join(f"\n{reason}" for reason in passed_over)
        raise CheckpointError(
            f"{folder.parent}: has no whole checkpoint to translate with{reasons}"
        )
    if weights == "best" and checkpoint.best is not None:
        checkpoint = verify(at(folder, checkpoint.best), (MODEL,))
    return checkpoint, passed_over


def load_training(checkpoint: Checkpoint) -> dict[str, Any]:
    """What `save` was given as `training`; only plain data is read, never code.

    Raises:
        CheckpointError: If the file holds anything else, or can't be read.
    """
    path = checkpoint.path / TRAINING
    try:
        loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(f"{path}: can't be read as plain data: {reason}") from error
    return loaded


def clean(folder: Path) -> None:
    """Remove what a killed process left behind; put back a checkpoint it was about to replace."""
    for path in folder.glob(f"{_REPLACED}*"):
        original = folder / path.name.removeprefix(_REPLACED)
        if original.exists():
            shutil.rmtree(path)
        else:
            path.rename(original)
    for path in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(path)


def prune(folder: Path, keep_last: int, best: int | None) -> None:
    """Remove all but the newest checkpoints and the best."""
    kept = sorted(folder.glob("step-*"))[-keep_last:]
    for path in folder.glob("step-*"):
        if path not in kept and (best is None or path.name != _name(best)):
            # The manifest goes first: a half-removed checkpoint must not look like one.
            (path / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(path)


def at(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return folder / _name(step)


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _sync(path: Path) -> None:
    """Make the disk keep what was written to a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
