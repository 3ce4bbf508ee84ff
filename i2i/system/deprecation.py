"""What is going to be removed, and when; docs/stability.md says how long it stays."""

import warnings

from i2i.system.version import __version__


def deprecate(what: str, instead: str, *, removed_in: str, stacklevel: int = 2) -> None:
    """Warn that something is going to be removed.

    Args:
        what: What is deprecated, such as "eval.resamples".
        instead: What to use, as a clause: "use eval.bootstrap".
        removed_in: The version that removes it, such as "0.3".
        stacklevel: As for `warnings.warn`, counted from the caller.

    Raises:
        RuntimeError: If this version should have removed it. A test calls for every deprecation in
            the code, so a release can't forget one.
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
