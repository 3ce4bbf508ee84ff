"""What can go wrong, in a few kinds.

Every error here is meant for the person at the keyboard: one clear line (or one line a problem)
that names the file or key and says what to do. The CLI prints it without a traceback and exits
with the error's `exit_code`.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class I2IError(Exception):
    """The base of every error i2i raises on purpose."""

    exit_code = 1


class ManyProblems(I2IError):
    """An error that lists everything found at once, one line a problem.

    Args:
        problems: What is wrong, each a complete sentence that names its file or key.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class RecipeError(ManyProblems):
    """A recipe that can't be used: unknown keys, wrong types, values out of range."""


class DataError(ManyProblems):
    """Images or folders that can't be used: unreadable, unpaired, of the wrong size."""


class CheckpointError(I2IError):
    """A checkpoint that is damaged, incomplete, of another architecture, or can't be written."""


class WeightsError(I2IError):
    """Pretrained weights that are missing, unreachable or not the pinned ones."""


class PluginError(I2IError):
    """A plugin that failed to load, clashes with another, or registers what can't be used."""


class TrainingError(I2IError):
    """A training that had to stop: a loss or a gradient that is no longer finite."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely means; None where nothing is near."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None
