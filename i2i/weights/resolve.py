"""Finds verified weights by name: in the user's folder, in the cache, or by fetching them."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from i2i.errors import WeightsError
from i2i.system.files import remove_leftovers
from i2i.system.hashing import tensors_sha256
from i2i.system.locks import lock
from i2i.weights import sources, store
from i2i.weights.catalogue import Pinned, known
from i2i.weights.places import FOLDER, kept_file, kept_folder, users_file
from i2i.weights.tensors import Damaged
from i2i.weights.used import YOURS, Loaded

_log = logging.getLogger(__name__)


def resolve(name: str) -> Loaded:
    """Return the weights of that name from the user's folder or the cache, or fetch them.

    Raises:
        WeightsError: If the name is unknown, the user's file is wrong, or every source failed.
    """
    pinned = known(name)
    # The caller may be building a network on another default device, such as meta.
    with torch.device("cpu"):
        user_file = users_file(pinned)
        if user_file is not None:
            return _from_user(pinned, user_file)
        cached, _ = _cached(pinned)
        return cached or _fetch(pinned)


def here(name: str) -> list[Path]:
    """Return the files on this machine that hold the weights, unverified; `resolve` uses the first.

    Raises:
        WeightsError: If the name is unknown or the user's folder does not exist.
    """
    pinned = known(name)
    user_file, cached = users_file(pinned), kept_file(pinned)
    return [*([user_file] if user_file else []), *([cached] if cached.is_file() else [])]


def verify(name: str, path: Path) -> str:
    """Verify a file that `here` returned.

    Returns:
        The SHA-256 of its tensors.

    Raises:
        WeightsError: If the file is damaged or holds other weights.
    """
    pinned = known(name)
    if path != kept_file(pinned):
        return tensors_sha256(sources.from_folder(pinned, path))
    cached, answer = _cached(pinned)
    if cached is None:
        raise WeightsError(answer)
    return cached.sha256


def _from_user(pinned: Pinned, path: Path) -> Loaded:
    """Load the user's file; other formats than i2i's safetensors are converted into the cache."""
    tensors = sources.from_folder(pinned, path)
    if path.name != pinned.stored:
        with _locked(pinned):
            path = store.keep(pinned, tensors, YOURS)
    return Loaded(pinned.name, tensors, tensors_sha256(tensors), YOURS, path)


def _cached(pinned: Pinned) -> tuple[Loaded | None, str]:
    """Return the cached weights, or None and the reason."""
    path = kept_file(pinned)
    try:
        return store.checked(pinned, path), ""
    except FileNotFoundError:
        return None, f"{path}: doesn't exist"
    except (Damaged, OSError) as error:
        return None, f"{path}: {error}"


def _fetch(pinned: Pinned) -> Loaded:
    answers = [f"your folder: {FOLDER} is not set, or the folder has none of the files"]

    def answered(answer: str) -> None:
        _log.info("%s: %s", pinned.name, answer)
        answers.append(answer)

    with _locked(pinned):
        cached, answer = _cached(pinned)
        if cached is not None:  # another process was faster
            return cached
        answers.append(answer)
        if kept_file(pinned).exists():
            _log.warning("%s; fetching it again", answer)
        found = sources.fetched(pinned, answered)
        if found is None:
            raise WeightsError(*_unavailable(pinned, answers))
        tensors, source = found
        path = store.keep(pinned, tensors, source)
    return Loaded(pinned.name, tensors, tensors_sha256(tensors), source, path)


@contextmanager
def _locked(pinned: Pinned) -> Iterator[None]:
    """Create the cache folder and lock out other processes that fetch the same weights."""
    with ExitStack() as stack:
        try:
            kept_folder().mkdir(parents=True, exist_ok=True)
            file = kept_folder() / f".{pinned.name}.lock"
            if stack.enter_context(lock(file, waiting_for=f"fetching {pinned.name}")):
                remove_leftovers(kept_folder(), pinned.stored)
        except OSError as error:
            raise WeightsError(store.unwritable(error)) from error
        yield


def _unavailable(pinned: Pinned, answers: list[str]) -> list[str]:
    if pinned.package is None:
        answers = [*answers, "packages: no package contains them"]
    canonical = (*pinned.files, pinned.stored)[0]
    return [
        f"the weights '{pinned.name}' ({canonical}, {pinned.wanted}) are unavailable:",
        *(f"  {answer}" for answer in answers),
        f"Put one of {', '.join(pinned.forms)} into a folder and set {FOLDER} to it, or run "
        f"'i2i weights fetch {pinned.name}' on a machine with network access and copy the file "
        "that it prints",
    ]
