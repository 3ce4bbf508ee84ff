"""The earlier run in the folder of a new one: set aside until the new one has saved something.

The files of the earlier run are moved into a hidden folder and back; other files stay where they
are. Two names of that folder tell the next process how far a killed one came: `_MOVING` while files
are moved, in either direction, and `_ASIDE` in between.
"""

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from i2i.errors import I2IError
from i2i.run_folder import RunFolder
from i2i.system.failures import explained
from i2i.training import checkpoint as checkpoints

_log = logging.getLogger(__name__)

_ASIDE = ".earlier-run"
_MOVING = ".earlier-run-moving"

_OWN = re.compile(
    r"""recipe\.toml|environment\.json|metrics\.jsonl|report\.html
    |checkpoints/step-\d{8,}/(manifest\.json|model(-\w+)?\.safetensors|training\.pt)
    |(models/\w+/)?samples/(input|target|back|step-\d{8,})/.+\.png
    |samples/step-\d{8,}\.png  # of version 0.1, as is sheet.png
    |(models/\w+/)?evaluation/(metrics\.json|sheet\.png|(images|samples)/.+)
    |tensorboard/events\.out\.tfevents\..+""",
    re.VERBOSE | re.DOTALL,
)
"""The files that a run writes, relative to its folder."""


def check_free(folder: RunFolder, *, resume: bool, overwrite: bool) -> None:
    """Check, without a change, that a run may begin or resume in a folder.

    Raises:
        I2IError: If the folder contains a run that is neither resumed nor replaced, a link in the
            place of a folder that would be replaced, or somebody else's files in the place of a
            run's.
    """
    parts = (
        *(folder.recipe, folder.environment, folder.metrics, folder.report),
        *(folder.samples, folder.checkpoints, folder.evaluation, folder.models),
        folder.tensorboard,
    )
    there = [part for part in parts if os.path.lexists(part)]
    if not there:
        return
    if not is_run(folder):
        names = ", ".join(part.name for part in there)
        raise I2IError(
            f"{folder.path}: contains {names}, but no run of i2i, so nothing in it is replaced: "
            "choose another folder (--out), or move them away"
        )
    if resume:
        return
    if not overwrite:
        raise I2IError(
            f"{folder.path} already contains a run: resume it (--resume), start again "
            "(--overwrite), or choose another folder (--out)"
        )
    links = [part for part in there if part.is_symlink()]
    if links:
        raise I2IError(
            f"{', '.join(map(str, links))}: is a link, and what it leads to isn't replaced: remove "
            "it, or choose another folder (--out)"
        )


def is_run(folder: RunFolder) -> bool:
    """Whether a folder is certainly a run: it has the environment or a checkpoint of one."""
    if any(
        (path / checkpoints.MANIFEST).is_file() for path in checkpoints.saved(folder.checkpoints)
    ):
        return True
    try:
        return "i2i" in folder.read_environment()["versions"]
    except (FileNotFoundError, I2IError):
        return False


@contextmanager
def set_aside(folder: RunFolder) -> Iterator[Callable[[], None]]:
    """Set the run in a folder aside; on an error it returns to its place.

    Yields:
        A function that removes it. Call it when the new run has saved its first checkpoint.

    Raises:
        I2IError: If a file can't be moved; the run is then complete in its place.
    """
    if not _own_files(folder.path):
        yield nothing
        return
    moving, aside = folder.path / _MOVING, folder.path / _ASIDE
    try:
        moving.mkdir()
        _move(folder.path, moving)
        moving.rename(aside)
    except OSError as error:
        _restore(folder)
        raise I2IError(f"{folder.path}: can't be replaced: {explained(error)}") from error
    try:
        yield lambda: shutil.rmtree(aside, ignore_errors=True)
    except BaseException:
        if aside.is_dir():
            _restore(folder)
            _log.warning("the earlier run in %s is back in its place", folder.path)
        raise


def nothing() -> None:
    """There is no earlier run to remove."""


def _restore(folder: RunFolder) -> None:
    with suppress(OSError):  # the error that led here counts; the next process tries again
        recover(folder)


def recover(folder: RunFolder) -> None:
    """Finish what a killed process or an error left: restore the earlier run, or remove it.

    Raises:
        OSError: If a file can't be moved or removed.
    """
    moving, aside = folder.path / _MOVING, folder.path / _ASIDE
    if aside.is_dir():
        if checkpoints.newest(folder.checkpoints)[0] is not None:
            shutil.rmtree(aside)
            return
        for file in _own_files(folder.path):
            file.unlink()
        _remove_empty(folder.path)
        aside.rename(moving)
    if moving.is_dir():
        _move(moving, folder.path)
        shutil.rmtree(moving)


def _move(source: Path, target: Path) -> None:
    for file in _own_files(source):
        moved = target / file.relative_to(source)
        moved.parent.mkdir(parents=True, exist_ok=True)
        file.rename(moved)
    _remove_empty(source)


def _remove_empty(root: Path) -> None:
    """Remove the empty folders of a run."""
    for folder, _, _ in os.walk(root, topdown=False):
        path = Path(folder)
        if _ASIDE not in path.parts and path not in (root, root / _MOVING):
            with suppress(OSError):  # it isn't empty
                path.rmdir()


def _own_files(root: Path) -> list[Path]:
    """The files of a run in a folder; links to folders aren't followed."""
    hidden = {_ASIDE, _MOVING}
    found = []
    for folder, folders, files in os.walk(root):
        if Path(folder) == root:
            folders[:] = [name for name in folders if name not in hidden]
        found += [Path(folder, name) for name in files]
    return [path for path in found if _OWN.fullmatch(path.relative_to(root).as_posix())]
