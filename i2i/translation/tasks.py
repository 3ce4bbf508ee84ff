"""Plans the work: the outputs of each input, and the notes for the user."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from i2i.errors import DataError
from i2i.images.sizes import size_text
from i2i.images.types import Size
from i2i.model.model import Model
from i2i.model.tiling import TILE, WHOLE_UP_TO, needs_tiles
from i2i.system.files import safe_join
from i2i.system.prefetch import prefetch
from i2i.translation.inputs import Input
from i2i.translation.journal import Source, source_of
from i2i.translation.options import TranslationOptions
from i2i.translation.preparing import Preparation
from i2i.translation.writing import suffix_of

HEADERS_AHEAD = 64


class Task(NamedTuple):
    """A file to translate.

    Args:
        input: The file.
        outputs: The paths of its translations.
        size: The size of its prepared input.
        pair: Whether it is treated as a pair of the model's own data.
        georeferenced: Whether the file is a GeoTIFF.
        source: The file's path, size and modification time.
    """

    input: Input
    outputs: tuple[Path, ...]
    size: Size
    pair: bool
    georeferenced: bool
    source: Source


def named(
    found: Sequence[Input],
    out: Path,
    ending: Callable[[Path], Sequence[str]],
    bad: dict[Path, str],
) -> dict[Input, tuple[Path, ...]]:
    """Choose the output paths of each input.

    An input is added to `bad` if its output is also that of another input, or would replace an
    input.
    """
    named: dict[Input, tuple[Path, ...]] = {}
    takers: dict[Path, Input] = {}
    sources = {one.file.resolve() for one in found}
    for one in found:
        try:
            paths = tuple(safe_join(out, one.name + end) for end in ending(one.file))
        except DataError as error:
            bad[one.file] = f"{one.file}: {'; '.join(error.problems)}"
            continue
        taken = next((takers[path] for path in paths if path in takers), None)
        if taken is not None:
            bad[one.file] = f"{one.file}: its output would be that of {taken.file}; rename one"
        elif not sources.isdisjoint(paths):
            bad[one.file] = f"{one.file}: its output would replace an input; choose another --out"
        else:
            named[one] = paths
            takers |= dict.fromkeys(paths, one)
    return named


def endings(model: Model, options: TranslationOptions) -> Callable[[Path], list[str]]:
    """A function that returns the endings of a file's output names, such as `-1.png`, `-2.png`."""
    channels = 3 if options.side_by_side else model.data.target.channels

    def ending(file: Path) -> list[str]:
        suffix = suffix_of(file, options.format, channels)
        if options.samples == 1 or options.side_by_side:
            return [suffix]
        return [f"-{sample}{suffix}" for sample in range(1, options.samples + 1)]

    return ending


def sized(
    named: Mapping[Input, tuple[Path, ...]], preparation: Preparation, bad: dict[Path, str]
) -> list[Task]:
    """Create a task for each file with a readable header, and add the others to `bad`."""

    def task(item: tuple[Input, tuple[Path, ...]]) -> Task | None:
        one, paths = item
        try:
            return Task(one, paths, *preparation.expect(one.file), source_of(one.file))
        except DataError as error:
            bad[one.file] = "; ".join(error.problems)
        except OSError as error:
            bad[one.file] = f"{one.file}: {error.strerror or error}"
        return None

    found = prefetch(task, named.items(), count=HEADERS_AHEAD)
    return [one for one in found if one is not None]


def notes(tasks: Sequence[Task], preparation: Preparation, tile: int | None) -> list[str]:
    """Tell the user how the files are treated, where the options leave that open."""
    model, found = preparation.model, []
    trained = size_text(model.recipe.augment.crop)
    if pairs := sum(task.pair for task in tasks):
        found.append(
            f"taken for pairs like the model's own data: {pairs:,}; their "
            f"{model.data.input_half} half is translated, at {trained} (--half whole --size own "
            "translates the files unchanged)"
        )
    large = [t for t in tasks if needs_tiles(t.size)] if tile is None else []
    if large:
        found.append(
            f"translated by tiles of {TILE}: {len(large):,} larger than "
            f"{WHOLE_UP_TO / 2**20:g} megapixels (--tile 0 translates them whole)"
        )
    far = [t for t in tasks if min(t.size) > 2 * max(model.recipe.augment.crop)]
    if preparation.size == "auto" and far:
        found.append(
            f"much larger than the training's {trained}: {len(far):,} (--size train brings inputs "
            "to that size)"
        )
    if placed := sum(task.georeferenced for task in tasks):
        found.append(
            f"GeoTIFF files: {placed:,}; their coordinates and projection are not in the outputs"
        )
    return found
