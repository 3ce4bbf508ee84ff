"""Where i2i keeps what can be made or fetched again."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_dir() -> Path:
    """The user's cache folder; `I2I_CACHE_DIR` overrides it. It need not exist."""
    named = os.environ.get("I2I_CACHE_DIR")
    return Path(named) if named else user_cache_path("i2i")
