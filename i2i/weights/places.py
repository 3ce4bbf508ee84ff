"""Where weights can be on this machine."""

import os
from pathlib import Path

from i2i.errors import WeightsError
from i2i.system.cache import cache_dir
from i2i.weights.catalogue import Pinned

FOLDER = "I2I_WEIGHTS_DIR"
"""The environment variable that names the user's folder."""


def kept_folder() -> Path:
    """Where weights are kept; it need not exist."""
    return cache_dir() / "weights"


def kept_file(pinned: Pinned) -> Path:
    """Where these weights are kept; it need not exist."""
    return kept_folder() / pinned.stored


def users_file(pinned: Pinned) -> Path | None:
    """The file in the user's folder that should hold the weights; None if there is none.

    Raises:
        WeightsError: If the folder that the user names is none.
    """
    named = os.environ.get(FOLDER)
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise WeightsError(f"{FOLDER} is {named}, which is no folder")
    return next((folder / name for name in pinned.forms if (folder / name).is_file()), None)
