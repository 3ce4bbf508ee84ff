"""Files that can only be read with an option that the caller didn't give.

An error of this package names the file and the reason. Only the caller knows which recipe key or
which option of a command helps, and adds that with `advising`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from i2i.errors import DataError

Need = Literal["float_range", "mode"]
"""An option of `read`: the values of black and white, or a mode that takes all channels."""


class Needed(ValueError):
    """Pixels that can only be converted with an option."""

    def __init__(self, need: Need, reason: str) -> None:
        super().__init__(reason)
        self.need = need


class NeedsOption(DataError):
    """A file that can only be read with an option.

    Args:
        need: The option.
        problems: As for all data errors.
    """

    def __init__(self, need: Need, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.need = need


@contextmanager
def advising(*, float_range: str, mode: str) -> Iterator[None]:
    """Add what helps to the errors of files that need an option.

    Args:
        float_range: How the values of black and white are declared.
        mode: How all channels are read.
    """
    advice: dict[Need, str] = {"float_range": float_range, "mode": mode}
    try:
        yield
    except NeedsOption as error:
        raise DataError(
            [f"{problem}: {advice[error.need]}" for problem in error.problems]
        ) from error
