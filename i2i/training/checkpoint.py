"""Checkpoints: atomic writing, and verified reading.

The folder `step-00080000/` has three files: `model.safetensors` (the model and its recipe, which is
all that translation needs), `training.pt` (the other state, needed to resume) and `manifest.json`
(the SHA-256 of both, written last). If a method has several models, there is a
`model-NAME.safetensors` for each of the others. If the manifest is missing or a file does not match
it, the folder does not count as a checkpoint.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge
from pydantic import BaseModel, TypeAdapter
from safetensors import SafetensorError
from torch import nn

from i2i.errors import CheckpointError, I2IError
from i2i.model.file import write_model
from i2i.system.failures import explained
from i2i.system.files import sync_file, sync_folder
from i2i.system.hashing import file_sha256
from i2i.system.json_file import read_json
from i2i.system.memory import give_back_freed_memory

MODEL = "model.safetensors"
TRAINING = "training.pt"
MANIFEST = "manifest.json"
_UNFINISHED = ".unfinished-"
_REPLACED = ".replaced-"
_NAME = re.compile(r"step-[0-9]{8,}")


class _Manifest(BaseModel):
    step: Annotated[int, Ge(0)]
    best: int | None
    sha256: dict[str, str]


_MANIFEST = TypeAdapter(_Manifest)


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
    models: Mapping[str, nn.Module],
    recipe: str,
    data: Mapping[str, str],
    training: Mapping[str, Any],
    best: int | None,
) -> Checkpoint:
    """Write a checkpoint.

    Args:
        folder: The `checkpoints` folder of a run.
        step: Number of steps done.
        models: The models to store by name, see `Trainer.models`.
        recipe: The resolved recipe in TOML, for the model files.
        data: The result of `DatasetInfo.to_json` for each model, by its name.
        training: State for `training.pt`: tensors, numbers, strings, and dicts and lists of them.
        best: Step of the best checkpoint so far.

    Raises:
        CheckpointError: If it can't be written; earlier checkpoints are unchanged.
    """
    path = at(folder, step)
    unfinished = folder / f"{_UNFINISHED}{path.name}"
    replaced = folder / f"{_REPLACED}{path.name}"
    give_back_freed_memory()  # before writing, which needs memory for copies of the tensors
    try:
        _remove(unfinished)
        unfinished.mkdir(parents=True)
        for name, model in models.items():
            file = unfinished / model_file(name)
            write_model(file, model, recipe=recipe, data=data[name], step=step)
        torch.save(dict(training), unfinished / TRAINING)
        sums = {file.name: file_sha256(file) for file in sorted(unfinished.iterdir())}
        manifest = {"step": step, "best": best, "sha256": sums}
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        for file in unfinished.iterdir():
            sync_file(file)
        sync_folder(unfinished)
        if os.path.lexists(path):
            path.rename(replaced)
        unfinished.rename(path)
        sync_folder(folder)
        _remove(replaced)
    except (OSError, SafetensorError, RuntimeError) as error:
        why = explained(error, path)
        with suppress(OSError):
            _remove(unfinished)
        raise CheckpointError(
            f"{path}: the checkpoint can't be written: {why}; earlier checkpoints are untouched"
        ) from error
    return Checkpoint(path, step, best)


def model_file(name: str) -> str:
    """The name of a model's file; `generator` is the default model."""
    return MODEL if name == "generator" else f"model-{name}.safetensors"


def model_name(file: Path) -> str:
    """The name of the model in a file, see `model_file`."""
    return "generator" if file.name == MODEL else file.stem.removeprefix("model-")


def models_in(checkpoint: Path) -> list[str]:
    """The names of the models in a checkpoint's folder, the default one first."""
    others = sorted(model_name(file) for file in checkpoint.glob("model-*.safetensors"))
    return ["generator", *others]


def saved(folder: Path) -> list[Path]:
    """The folders of all checkpoints, the newest first; other names are somebody else's."""
    found = [path for path in folder.glob("step-*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_step_of, reverse=True)


def newest(folder: Path, files: Sequence[str] | None = None) -> tuple[Checkpoint | None, list[str]]:
    """Find the newest undamaged checkpoint.

    Args:
        folder: The `checkpoints` folder of a run.
        files: The files that must be undamaged; all by default.

    Returns:
        The checkpoint (None if there is none), and one reason for each newer one that was skipped.
    """
    skipped: list[str] = []
    for path in saved(folder):
        try:
            return verify(path, files), skipped
        except CheckpointError as error:
            skipped.append(str(error))
    return None, skipped


def verify(path: Path, files: Sequence[str] | None = None) -> Checkpoint:
    """Compare the files of a checkpoint with the SHA-256 in its manifest.

    Args:
        path: The checkpoint's folder.
        files: The files to compare; all by default.

    Raises:
        CheckpointError: If a file is missing, truncated or changed; the message names it.
    """
    try:
        manifest = read_json(path / MANIFEST, _MANIFEST, "this checkpoint can't be used")
    except FileNotFoundError as error:
        raise CheckpointError(f"{path / MANIFEST}: is missing") from error
    except I2IError as error:
        raise CheckpointError(str(error)) from error
    sums = manifest["sha256"]
    for name in files or {MODEL, TRAINING, *sums}:
        try:
            actual = file_sha256(path / name)
        except OSError as error:
            raise CheckpointError(f"{path / name}: can't be read: {error}") from error
        if actual != sums.get(name):
            raise CheckpointError(
                f"{path / name}: is damaged: its SHA-256 is {actual}, the manifest says "
                f"{sums.get(name)}"
            )
    return Checkpoint(path, manifest["step"], manifest["best"])


def to_use(
    folder: Path, weights: Literal["last", "best"], file: str = MODEL
) -> tuple[Checkpoint, list[str]]:
    """Find the checkpoint to translate with.

    Args:
        folder: The `checkpoints` folder of a run.
        weights: `last` for the newest undamaged checkpoint, `best` for the best one in validation
            (the newest if nothing was validated); see `eval.weights`.
        file: The name of the model's file.

    Returns:
        The checkpoint, and one reason for each better one that was skipped as damaged.

    Raises:
        CheckpointError: If there is no undamaged checkpoint.
    """
    checkpoint, skipped = newest(folder, (file,))
    if checkpoint is None:
        raise CheckpointError(
            f"{folder.parent}: the run has no usable checkpoint to translate with", *skipped
        )
    if weights == "best" and checkpoint.best is not None:
        try:
            return verify(at(folder, checkpoint.best), (file,)), skipped
        except CheckpointError as error:
            skipped.append(f"{error}; the best checkpoint is replaced by that of the newest step")
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
        why = str(error).partition("\n")[0]
        raise CheckpointError(f"{path}: can't be read as plain data: {why}") from error
    return loaded


def clean(folder: Path) -> None:
    """Delete unfinished checkpoints of a killed process; restore one that it was replacing."""
    for path in folder.glob(f"{_REPLACED}*"):
        original = folder / path.name.removeprefix(_REPLACED)
        if os.path.lexists(original):
            _remove(path)
        else:
            path.rename(original)
    for path in folder.glob(f"{_UNFINISHED}*"):
        _remove(path)


def set_damaged_aside(folder: Path, than: Checkpoint) -> list[Path]:
    """Rename checkpoints newer than an undamaged one, so that they no longer count.

    Returns:
        Their new paths, `step-00000500.damaged`.
    """
    aside = []
    for path in saved(folder):
        if _step_of(path) > than.step:
            target = path.with_name(f"{path.name}.damaged")
            _remove(target)
            aside.append(path.rename(target))
    return aside


def prune(folder: Path, keep_last: int, best: int | None) -> None:
    """Delete all checkpoints but the newest `keep_last` and the best.

    Only complete checkpoints count, and a link to a checkpoint elsewhere is left as it is.
    """
    complete = [path for path in saved(folder) if (path / MANIFEST).is_file()]
    for path in complete[keep_last:]:
        if _step_of(path) != best and not path.is_symlink():
            # Delete the manifest first: a half-deleted folder must not count as a checkpoint.
            (path / MANIFEST).unlink()
            shutil.rmtree(path)


def at(folder: Path, step: int) -> Path:
    """The folder of the checkpoint of a step."""
    return folder / f"step-{step:08d}"


def _step_of(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _remove(path: Path) -> None:
    """Remove a folder, or a link to one without what it leads to; it may be missing."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
