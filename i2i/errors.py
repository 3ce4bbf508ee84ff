"""All errors that i2i raises for the user.

The message of an error is one line, or one line per problem. It names the file or key and says
what to do. The CLI prints it without a traceback, with escapes for what can't be printed, and exits
with the error's `exit_code`.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class I2IError(Exception):
    """The base class of all errors that i2i raises on purpose.

    Args:
        lines: The lines of the message; a line break within one is part of a name.
    """

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("\n".join(map(str, lines)))

    def after(self, start: str) -> list[str]:
        """The lines of the message, with `start` before the first."""
        first, *others = self.lines or ("",)
        return [f"{start}{first}", *others]


class ManyProblems(I2IError):
    """An error that lists several problems, one per line.

    Args:
        problems: The problems; each is one line that names its file or key.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)


class RecipeError(ManyProblems):
    """The recipe is invalid: unknown keys, wrong types, values out of range."""


class DataError(ManyProblems):
    """Images or folders are invalid: unreadable, unpaired, of the wrong size."""


class CheckpointError(I2IError):
    """A checkpoint is damaged, incomplete, of another architecture, or can't be written."""


class WeightsError(I2IError):
    """Pretrained weights are missing, can't be downloaded or have the wrong checksum."""


class PluginError(I2IError):
    """A plugin fails to load, conflicts with another, or registers an invalid component."""


class TrainingError(I2IError):
    """Training stopped because a loss or gradient is not finite."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most similar to `name`; None if no name is similar."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def counted(number: int, noun: str) -> str:
    """A number with a regular noun, such as "1 file" or "2,000 files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def few(names: Sequence[str], most: int = 3) -> str:
    """The first names of a list, with dots if there are more."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])
