"""Paths of weights on this machine."""

import os
from pathlib import Path

from i2i.errors import WeightsError
from i2i.system.cache import cache_dir
from i2i.system.files import with_home
from i2i.weights.catalogue import Pinned

FOLDER = "I2I_WEIGHTS_DIR"
"""The environment variable that names the user's folder."""


def kept_folder() -> Path:
    """Return the cache folder for weights, which may not exist yet."""
    return cache_dir() / "weights"


def kept_file(pinned: Pinned) -> Path:
    """Return the cached file of these weights, which may not exist yet."""
    return kept_folder() / pinned.stored


def users_file(pinned: Pinned) -> Path | None:
    """Return the file in the user's folder that should hold the weights; None if there is none.

    Raises:
        WeightsError: If the user's folder does not exist.
    """
    named = os.environ.get(FOLDER)
    if not named:
        return None
    folder = with_home(named)
    if not folder.is_dir():
        raise WeightsError(f"{FOLDER} is {named}, which is not a folder")
    return next((folder / name for name in pinned.forms if (folder / name).is_file()), None)
