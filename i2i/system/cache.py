"""The cache folder, for files that can be computed or downloaded again."""

import os
from pathlib import Path

from platformdirs import user_cache_path

from i2i.system.files import with_home


def cache_dir() -> Path:
    """The user's cache folder, which may not exist yet; `I2I_CACHE_DIR` overrides it."""
    named = os.environ.get("I2I_CACHE_DIR")
    return with_home(named) if named else user_cache_path("i2i")
