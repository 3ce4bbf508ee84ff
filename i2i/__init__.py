"""i2i: image-to-image translation, a small core and plugins.

Importing this package imports no torch: names that need it are looked up when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from i2i.hookspecs import Register, hookimpl
from i2i.system.version import __version__

if TYPE_CHECKING:
    from i2i.recipe import Recipe
    from i2i.runs.evaluate import evaluate
    from i2i.runs.loading import load
    from i2i.runs.run import run
    from i2i.studies.study import study
    from i2i.translation.translate import translate

_LAZY = {
    "Recipe": "i2i.recipe",
    "evaluate": "i2i.runs.evaluate",
    "load": "i2i.runs.loading",
    "run": "i2i.runs.run",
    "study": "i2i.studies.study",
    "translate": "i2i.translation.translate",
}

__all__ = [
    "Recipe",
    "Register",
    "__version__",
    "evaluate",
    "hookimpl",
    "load",
    "run",
    "study",
    "translate",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'i2i' has no attribute {name!r}")
