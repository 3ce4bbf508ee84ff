"""Deprecation warnings; docs/stability.md says how long a deprecated feature stays."""

import warnings

from i2i.system.version import __version__


def deprecate(what: str, instead: str, *, removed_in: str, stacklevel: int = 2) -> None:
    """Warn that a feature will be removed.

    Args:
        what: The deprecated feature, such as "eval.resamples".
        instead: What users should do, such as "use eval.bootstrap".
        removed_in: The version that removes the feature, such as "0.3".
        stacklevel: As for `warnings.warn`, counted from the caller.

    Raises:
        RuntimeError: If this version should have removed the feature already. A test checks
            every `deprecate` call in the code, so no release forgets a removal.
    """
    if _numbers(__version__) >= _numbers(removed_in):
        raise RuntimeError(f"{what} was to be removed in i2i {removed_in}; this is {__version__}")
    warnings.warn(
        f"{what} is deprecated and will be removed in i2i {removed_in}: {instead}",
        FutureWarning,
        stacklevel=stacklevel + 1,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
