"""Checks of the options of `folders`."""

from pathlib import Path

from i2i.errors import DataError
from i2i.images import Mode, is_colour
from i2i.images.pixels import FloatRange
from i2i.system.files import safe_join


def check_options(
    root: Path,
    dirs: tuple[str | None, str | None],
    side_by_side: bool | None,
    modes: tuple[Mode, Mode],
    classes: tuple[int | None, int | None],
) -> None:
    """Check the options that say where images lie and how they are read.

    Args:
        root: `root`.
        dirs: `input_dir` and `target_dir`.
        side_by_side: `side_by_side`.
        modes: `input_mode` and `target_mode`.
        classes: `input_classes` and `target_classes`.

    Raises:
        DataError: If folders are missing, or options don't fit together.
    """
    problems = []
    if not root.is_dir():
        problems.append(f"data.root: there is no folder {root}")
    if (dirs[0] is None) != (dirs[1] is None):
        problems.append(
            "data: set both input_dir and target_dir, or neither for side-by-side pairs"
        )
    if side_by_side and dirs != (None, None):
        problems.append("data.side_by_side: is true, so remove input_dir and target_dir")
    for side, folder in zip(("input", "target"), dirs, strict=True):
        if folder is not None and root.is_dir():
            try:
                safe_join(root, folder)
            except DataError as error:
                problems += [f"data.{side}_dir: {problem}" for problem in error.problems]
    for side, mode, number in zip(("input", "target"), modes, classes, strict=True):
        if (mode == "labels") != (number is not None):
            problems.append(
                f"data.{side}_classes: is required with {side}_mode 'labels' and invalid without it"
            )
    if problems:
        raise DataError(problems)


def check_values(background: str, **ranges: FloatRange | None) -> None:
    """Check the values of colours.

    Args:
        background: `background`.
        ranges: The ranges of black and white, by the name of the option.

    Raises:
        DataError: If the background is no colour, or a range is empty.
    """
    problems = []
    if not is_colour(background):
        problems.append(
            f"data.background: {background!r} is not a colour; try 'white' or '#ff8800'"
        )
    for key, values in ranges.items():
        if values is not None and values[0] == values[1]:
            problems.append(
                f"data.{key}: black and white are both {values[0]}; set two different values"
            )
    if problems:
        raise DataError(problems)
