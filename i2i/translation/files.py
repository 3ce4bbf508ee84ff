"""Image files translated: read ahead, through the network in batches, written behind it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from i2i.ahead import ahead
from i2i.datasets.base import Array, Size
from i2i.datasets.images import Picture
from i2i.errors import DataError, I2IError
from i2i.files import safe_join
from i2i.layers import size_text
from i2i.loading import load
from i2i.model import OVERLAP, TILE, WHOLE_UP_TO, Model, Whole
from i2i.progress import track
from i2i.translation import record
from i2i.translation.inputs import Input, find_inputs
from i2i.translation.preparing import Half, Preparation, Prepared, Resize
from i2i.translation.writing import Format, remove_leftovers, suffix_of, write_output

AHEAD = 2
"""Batches that are read before the network is ready for them, and that are being written."""

HEADERS_AHEAD = 64


@dataclass
class Translation:
    """How a translation of files ended.

    Args:
        out: Where the outputs are.
        inputs: How many files there were to translate.
        now: How many were translated now.
        before: How many had been translated before.
        bad: Why each of the others wasn't, by file.
        notes: What the user should know of how files were taken.
    """

    out: Path
    inputs: int = 0
    now: int = 0
    before: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Task(NamedTuple):
    """A file to translate.

    Args:
        input: The file.
        outputs: Where its translations go.
        size: The size that its input will have.
        pair: Whether it is taken for a pair of the model's own data.
    """

    input: Input
    outputs: tuple[Path, ...]
    size: Size
    pair: bool


def translate(
    model: Model | Path | str,
    inputs: Sequence[Path | str],
    out: Path | str,
    *,
    half: Half = "auto",
    size: Resize = "auto",
    tile: int | None = None,
    overlap: int = OVERLAP,
    samples: int = 1,
    side_by_side: bool = False,
    form: Format = "auto",
    overwrite: bool = False,
) -> Translation:
    """Translate files, folders and patterns into a folder.

    What an earlier call with the same model and options has done there stays and is skipped, so a
    call that was cut is gone on with by the same call, to the same bytes: which files share a batch
    doesn't depend on what is done already. A file that can't be read doesn't stop the others.

    Args:
        model: What `i2i.load` gives, or what it takes.
        inputs: Files, folders and patterns, see `find_inputs`.
        out: The folder of outputs.
        half: Which part of files is the input, see `Preparation`.
        size: The size that inputs are brought to, see `Preparation`.
        tile: Height and width of tiles, 0 for none, see `Model.translate_one`.
        overlap: Pixels that tiles share.
        samples: How many of the possible translations of each; several are named NAME-1, NAME-2, …
        side_by_side: Write input and outputs in one row.
        form: The format of outputs, see `suffix_of`.
        overwrite: Translate everything anew, and replace files that are there.

    Returns:
        What was translated, and what wasn't and why.

    Raises:
        DataError: If inputs aren't there, files would be replaced, or nothing could be translated.
        I2IError: If options don't fit the model, the folder holds translations by another model or
            with other options, or can't be written to.
    """
    if not isinstance(model, Model):
        model = load(model)
    out = Path(out)
    _check_options(model, samples, side_by_side, form, tile, overlap)
    preparation = Preparation(model, half, size)
    found, refused = find_inputs(inputs, out)
    done = Translation(out, inputs=len(found) + len(refused), bad=refused)
    named = _named(found, out, _endings(model, samples, side_by_side, form), done.bad)
    how = {
        "model": model.recipe.name,
        "step": model.step,
        "sha256": model.sha256,
        "half": half,
        "size": size,
        "tile": tile,
        "overlap": overlap,
        "samples": samples,
        "side_by_side": side_by_side,
        "format": form,
    }
    outputs = [path for paths in named.values() for path in paths]
    resumed = record.begin(out, how, outputs, overwrite=overwrite)
    remove_leftovers(out)
    tasks = _sized(named, preparation, done.bad)
    done.notes += _notes(tasks, preparation, tile)
    ready = {task.input for task in tasks if resumed and _is_done(task)}
    done.before = len(ready)
    with track("translating", len(tasks) - len(ready)) as advance:
        pipeline = _Pipeline(
            preparation, tile, overlap, samples, side_by_side, ready, done.bad, advance
        )
        for written in pipeline.run(_batches(tasks, model, tile)):
            done.now += written
    done.bad = dict(sorted(done.bad.items()))
    record.finish(out, how, done.now + done.before, done.bad)
    if done.bad and not done.now + done.before:
        raise DataError(list(done.bad.values()))
    return done


_Translated = tuple[Task, Picture, tuple[Array, ...]]
"""A task, what its input carried, and its translations."""


@dataclass(frozen=True)
class _Pipeline:
    """Reads, translates and writes batches, the three at the same time.

    Args:
        ready: Inputs whose outputs are there; they are translated only beside others of their
            batch, so that what shares a batch is always the same, and not written again.
        bad: Where files that can't be translated are noted.
    """

    preparation: Preparation
    tile: int | None
    overlap: int
    samples: int
    side_by_side: bool
    ready: Set[Input]
    bad: dict[str, str]
    advance: Callable[[float], None]

    def run(self, batches: Iterable[Sequence[Task]]) -> Iterator[int]:
        """Translate batches, all but those that are ready; gives the number of files written.

        Raises:
            I2IError: If outputs can't be written.
        """
        missing = (b for b in batches if not all(task.input in self.ready for task in b))
        read = ahead(self._read, missing, count=AHEAD)
        return ahead(self._write, map(self._translate, read), count=AHEAD)

    def _read(self, batch: Sequence[Task]) -> list[tuple[Task, Prepared]]:
        good = []
        for task in batch:
            try:
                good.append((task, self.preparation.prepare(task.input.file)))
            except DataError as error:
                self.bad[str(task.input.file)] = "; ".join(error.problems)
        return good

    def _translate(self, batch: Sequence[tuple[Task, Prepared]]) -> list[_Translated]:
        if not batch:
            return []
        tasks, prepared = zip(*batch, strict=True)
        try:
            draws = [self._draw(prepared, draw, self.samples) for draw in range(self.samples)]
        except I2IError as error:
            self.bad.update({str(t.input.file): f"{t.input.file}: {error}" for t in tasks})
            return []
        outputs = list(zip(*draws, strict=True))
        return list(zip(tasks, (p.picture for p in prepared), outputs, strict=True))

    def _draw(self, prepared: Sequence[Prepared], draw: int, draws: int) -> list[Array]:
        """One of so many translations of each input of a batch."""
        model = self.preparation.model
        arrays = [each.array for each in prepared]
        dtypes = [_output_dtype(model, each) for each in prepared]

        def advance(share: float) -> None:
            self.advance(share / draws)

        if len(arrays) == 1:
            only = model.translate_one(
                arrays[0],
                draw=draw,
                dtype=dtypes[0],
                tile=self.tile,
                overlap=self.overlap,
                advance=advance,
            )
            return [only]
        outputs = model.translate_arrays(arrays, draw=draw, dtypes=dtypes)
        advance(len(arrays))
        return outputs

    def _write(self, batch: Sequence[_Translated]) -> int:
        written = 0
        for task, picture, outputs in batch:
            if task.input in self.ready:
                continue
            rows = [outputs] if self.side_by_side else [(output,) for output in outputs]
            for path, row in zip(task.outputs, rows, strict=True):
                try:
                    write_output(path, row, picture, side_by_side=self.side_by_side)
                except OSError as error:
                    raise I2IError(
                        f"{path}: can't be written: {error.strerror or error}; what is done stays, "
                        "the same command goes on with the rest"
                    ) from error
            written += 1
        return written


def _output_dtype(model: Model, prepared: Prepared) -> Whole:
    """The depth of the model's training or of the file, whichever is deeper."""
    deep = np.uint16 in (model.dtype, prepared.picture.pixels.dtype)
    return np.uint16 if deep else np.uint8


def _check_options(
    model: Model, samples: int, side_by_side: bool, form: Format, tile: int | None, overlap: int
) -> None:
    channels = model.data.target.channels
    if form in ("png", "jpg") and not side_by_side and channels not in (1, 3):
        raise I2IError(
            f"{form} holds 1 or 3 channels, the model gives {channels}: choose the format tiff"
        )
    if samples > 1 and not model.recipe.test.dropout:
        raise I2IError(
            f"all {samples} samples would be the same: dropout is the only noise, and the model's "
            "recipe turns it off (test.dropout = false)"
        )
    model.tiles((1, 1), tile, overlap)


def _named(
    found: Sequence[Input],
    out: Path,
    endings: Callable[[Path], Sequence[str]],
    bad: dict[str, str],
) -> dict[Input, tuple[Path, ...]]:
    """Where each input's outputs go; inputs whose outputs would be another's are noted as bad."""
    named: dict[Input, tuple[Path, ...]] = {}
    takers: dict[Path, Input] = {}
    for one in found:
        try:
            paths = tuple(safe_join(out, one.name + ending) for ending in endings(one.file))
        except DataError as error:
            bad[str(one.file)] = f"{one.file}: {'; '.join(error.problems)}"
            continue
        taken = next((takers[path] for path in paths if path in takers), None)
        if taken is not None:
            bad[str(one.file)] = f"{one.file}: its output would be that of {taken.file}; rename one"
        else:
            named[one] = paths
            takers |= dict.fromkeys(paths, one)
    return named


def _endings(
    model: Model, samples: int, side_by_side: bool, form: Format
) -> Callable[[Path], list[str]]:
    """What a file's name gets for each of its outputs."""
    channels = 3 if side_by_side else model.data.target.channels

    def endings(file: Path) -> list[str]:
        suffix = suffix_of(file, form, channels)
        if samples == 1 or side_by_side:
            return [suffix]
        return [f"-{draw}{suffix}" for draw in range(1, samples + 1)]

    return endings


def _sized(
    named: Mapping[Input, tuple[Path, ...]], preparation: Preparation, bad: dict[str, str]
) -> list[Task]:
    """The tasks whose files have a readable header; the others are noted as bad."""

    def expect(one: Input) -> tuple[Size, bool] | None:
        try:
            return preparation.expect(one.file)
        except DataError as error:
            bad[str(one.file)] = "; ".join(error.problems)
            return None

    expected = ahead(expect, named, count=HEADERS_AHEAD)
    return [
        Task(one, paths, *found)
        for (one, paths), found in zip(named.items(), expected, strict=True)
        if found is not None
    ]


def _batches(tasks: Sequence[Task], model: Model, tile: int | None) -> list[list[Task]]:
    """Tasks of one padded size together, in batches; what is translated by tiles alone."""
    alike: dict[tuple[Size, bool], list[Task]] = {}
    for task in tasks:
        tiled = len(model.tiles(task.size, tile, 0)) > 1
        alike.setdefault((model.padded(task.size), tiled), []).append(task)
    together = model.recipe.test.batch_size
    return [
        some[first : first + count]
        for (_, tiled), some in alike.items()
        for count in (1 if tiled else together,)
        for first in range(0, len(some), count)
    ]


def _is_done(task: Task) -> bool:
    """Whether all outputs are there, and newer than the input."""
    try:
        made = min(path.stat().st_mtime for path in task.outputs)
        return made >= task.input.file.stat().st_mtime
    except FileNotFoundError:
        return False


def _notes(tasks: Sequence[Task], preparation: Preparation, tile: int | None) -> list[str]:
    """What the user should know of how files were taken."""
    model, notes = preparation.model, []
    trained = size_text(model.recipe.augment.crop)
    if pairs := sum(task.pair for task in tasks):
        notes.append(
            f"taken for pairs like the model's own data: {pairs:,}, of which the "
            f"{model.data.input_half} half is translated, at {trained} (--half whole --size own "
            "takes them as they are)"
        )
    large = [t for t in tasks if model.needs_tiles(t.size)] if tile is None else []
    if large:
        notes.append(
            f"translated by tiles of {TILE}: {len(large):,}, which are larger than "
            f"{WHOLE_UP_TO / 2**20:g} megapixels (--tile 0 translates them whole)"
        )
    far = [t for t in tasks if min(t.size) > 2 * max(model.recipe.augment.crop)]
    if preparation.size == "auto" and far:
        notes.append(
            f"much larger than the {trained} that the model was trained at: {len(far):,} (--size "
            "train brings inputs to that size)"
        )
    return notes
