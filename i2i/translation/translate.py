"""Image files translated: read ahead, through the network in batches, written behind it."""

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from i2i.errors import DataError, I2IError
from i2i.images import Picture
from i2i.images.types import Array
from i2i.model.model import Model, Whole
from i2i.runs.loading import load
from i2i.system.console import track
from i2i.system.files import remove_leftovers
from i2i.system.prefetch import prefetch
from i2i.translation.inputs import Input, find_inputs
from i2i.translation.journal import Record
from i2i.translation.options import TranslationOptions
from i2i.translation.preparing import Preparation, Prepared
from i2i.translation.tasks import Task, endings, named, notes, sized
from i2i.translation.writing import write_output

AHEAD = 2
"""Batches that are read before the network is ready for them, and that are being written."""


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
    bad: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def translate(
    model: Model | Path | str,
    inputs: Sequence[Path | str],
    out: Path | str,
    options: TranslationOptions | None = None,
    *,
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
        options: How files are translated; by default each at its own size, into its own format.
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
    out, options = Path(out), options or TranslationOptions()
    options.check(model)
    preparation = Preparation(model, options.half, options.size)
    found, refused = find_inputs(inputs, out)
    done = Translation(out, inputs=len(found) + len(refused), bad=refused)
    places = named(found, out, endings(model, options), done.bad)
    how = {"model": model.recipe.name, "step": model.step, "sha256": model.sha256}
    record = Record(out, how | asdict(options))
    with record.held([path for paths in places.values() for path in paths], overwrite=overwrite):
        remove_leftovers(out, below=True)
        tasks = sized(places, preparation, done.bad)
        done.notes += notes(tasks, preparation, options.tile)
        ready = {
            task.input
            for task in tasks
            if all(record.has(path, task.source) for path in task.outputs)
        }
        done.before = len(ready)
        with track("translating", len(tasks) - len(ready)) as advance:
            pipeline = _Pipeline(preparation, record, options, ready, done.bad, advance)
            batches = model.batches([task.size for task in tasks], options.tile)
            for written in pipeline.run([tasks[i] for i in batch] for batch in batches):
                done.now += written
        done.bad = dict(sorted(done.bad.items()))
        record.finish(done.now + done.before, {str(file): why for file, why in done.bad.items()})
    if done.bad and not done.now + done.before:
        raise DataError(list(done.bad.values()))
    return done


_Translated = tuple[Task, Picture, tuple[Array, ...]]
"""A task, what its input carried, and its translations."""

_STOPPING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
"""What is wrong with the disk or the folder, not with one file's name or size."""


@dataclass(frozen=True)
class _Pipeline:
    """Reads, translates and writes batches, the three at the same time.

    Args:
        ready: Inputs whose outputs are there; they are translated only beside others of their
            batch, so that what shares a batch is always the same, and not written again.
        bad: Where files that can't be translated are noted.
        advance: Told of every file that is done with, and of a tiled one's parts.
    """

    preparation: Preparation
    record: Record
    options: TranslationOptions
    ready: Set[Input]
    bad: dict[Path, str]
    advance: Callable[[float], None]

    def run(self, some: Iterable[Sequence[Task]]) -> Iterator[int]:
        """Translate batches, all but those that are ready; gives the number of files written.

        Raises:
            I2IError: If outputs can't be written.
        """
        missing = (b for b in some if not all(task.input in self.ready for task in b))
        read = prefetch(self._read, missing, count=AHEAD)
        return prefetch(self._write, map(self._translate, read), count=AHEAD)

    def _read(self, batch: Sequence[Task]) -> list[tuple[Task, Prepared]]:
        good = []
        for task in batch:
            try:
                good.append((task, self.preparation.prepare(task.input.file)))
            except DataError as error:
                self._note(task, "; ".join(error.problems))
        return good

    def _translate(self, batch: Sequence[tuple[Task, Prepared]]) -> list[_Translated]:
        if not batch:
            return []
        tasks, prepared = zip(*batch, strict=True)
        try:
            samples = [
                self._sample(tasks, prepared, sample) for sample in range(self.options.samples)
            ]
        except I2IError as error:
            for task in tasks:
                self._note(task, f"{task.input.file}: {error}")
            return []
        outputs = list(zip(*samples, strict=True))
        return list(zip(tasks, (p.picture for p in prepared), outputs, strict=True))

    def _sample(
        self, tasks: Sequence[Task], prepared: Sequence[Prepared], sample: int
    ) -> list[Array]:
        """One of the translations of each input of a batch."""
        model = self.preparation.model
        arrays = [each.array for each in prepared]
        dtypes = [_output_dtype(model, each) for each in prepared]

        def advance(share: float) -> None:
            self.advance(share / self.options.samples)

        if len(arrays) == 1:
            only = model.translate_one(
                arrays[0],
                sample=sample,
                dtype=dtypes[0],
                tile=self.options.tile,
                overlap=self.options.overlap,
                advance=advance,
            )
            return [only]
        outputs = model.translate_arrays(arrays, sample=sample, dtypes=dtypes)
        advance(sum(task.input not in self.ready for task in tasks))
        return outputs

    def _write(self, batch: Sequence[_Translated]) -> int:
        return sum(self._written(*each) for each in batch if each[0].input not in self.ready)

    def _written(self, task: Task, picture: Picture, outputs: tuple[Array, ...]) -> bool:
        """Write a task's outputs, or note why that can't be.

        Raises:
            I2IError: If no file can be written any more.
        """
        rows = [outputs] if self.options.side_by_side else [(output,) for output in outputs]
        for path, row in zip(task.outputs, rows, strict=True):
            try:
                self.record.announce(path, task.source)
                write_output(path, row, picture, side_by_side=self.options.side_by_side)
            except ValueError as error:
                self.bad[task.input.file] = f"{task.input.file}: {error}"
                return False
            except OSError as error:
                reason = f"{path}: can't be written: {error.strerror or error}"
                if error.errno in _STOPPING:
                    raise I2IError(
                        f"{reason}; what is done stays, the same command goes on with the rest"
                    ) from error
                self.bad[task.input.file] = reason
                return False
        return True

    def _note(self, task: Task, why: str) -> None:
        """Note that a file can't be translated."""
        self.bad[task.input.file] = why
        if task.input not in self.ready:
            self.advance(1)


def _output_dtype(model: Model, prepared: Prepared) -> Whole:
    """The depth of the model's training or of the file, whichever is deeper."""
    deep = np.uint16 in (model.dtype, prepared.picture.pixels.dtype)
    return np.uint16 if deep else np.uint8
