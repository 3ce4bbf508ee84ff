"""Translates image files: reading, the network and writing work in parallel."""

import errno
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from i2i.errors import DataError, I2IError
from i2i.images import Picture
from i2i.images.types import Array
from i2i.model.model import Model, Whole
from i2i.runs.loading import load
from i2i.system.console import track
from i2i.system.failures import explained
from i2i.system.files import remove_leftovers
from i2i.system.prefetch import prefetch
from i2i.translation.inputs import Input, find_inputs
from i2i.translation.journal import Record
from i2i.translation.options import TranslationOptions
from i2i.translation.preparing import Preparation, Prepared
from i2i.translation.tasks import Task, endings, named, notes, sized
from i2i.translation.writing import write_output

AHEAD = 2
"""Number of batches that are read ahead of the network, and that may wait to be written."""


@dataclass
class Translation:
    """Result of a translation.

    Args:
        out: The output folder.
        inputs: Number of files to translate.
        now: Number of files that this call translated.
        before: Number of files that earlier calls had translated.
        bad: The files that were not translated, with the reasons.
        notes: What the user should know about how files were treated.
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

    Outputs of an earlier call with the same model and options are kept and skipped, so repeating an
    interrupted call resumes it. The outputs are then the same, byte for byte: which files share a
    batch doesn't depend on what was done before. A file that can't be read doesn't stop the others.

    Args:
        model: A model from `i2i.load`, or a path that `i2i.load` accepts.
        inputs: Files, folders and patterns; see `find_inputs`.
        out: The output folder.
        options: How files are translated; by default each at its own size, into its own format.
        overwrite: Whether to translate everything again and replace existing files.

    Returns:
        The numbers of translated files, and the reasons for the others.

    Raises:
        DataError: If inputs are missing, files would be replaced, or nothing could be translated.
        I2IError: If the model doesn't support the options, or the output folder can't be written to
            or holds translations by another model or with other options.
    """
    if not isinstance(model, Model):
        model = load(model)
    out, options = Path(out), options or TranslationOptions()
    options.check(model)
    preparation = Preparation(model, options.half, options.size, options.float_range)
    found, refused = find_inputs(inputs, out)
    done = Translation(out, inputs=len(found) + len(refused), bad=refused)
    places = named(found, out, endings(model, options), done.bad)
    how = {"model": model.recipe.name, "step": model.step, "sha256": model.sha256}
    record = Record(out, how | options.settings())
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
"""A task, its decoded input, and its translations."""

_STOPPING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
"""Errors of the disk or the folder, not of one file; they stop the translation."""


@dataclass(frozen=True)
class _Pipeline:
    """Reads, translates and writes batches in parallel.

    Args:
        ready: Inputs whose outputs exist. They are translated again only if another input of their
            batch is not ready, so that batches are always the same; they are not written again.
        bad: Gets the files that can't be translated, with the reasons.
        advance: Called with 1 for each finished file, or with fractions of it for its tiles.
    """

    preparation: Preparation
    record: Record
    options: TranslationOptions
    ready: Set[Input]
    bad: dict[Path, str]
    advance: Callable[[float], None]

    def run(self, batches: Iterable[Sequence[Task]]) -> Iterator[int]:
        """Translate the batches that aren't ready, and yield the number of files written of each.

        Raises:
            I2IError: If outputs can't be written.
        """
        missing = (b for b in batches if not all(task.input in self.ready for task in b))
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
        """One sample of the translation of each input of a batch."""
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
        """Write a task's outputs and return whether that succeeded; if not, note the reason.

        Raises:
            I2IError: If the disk or the folder fails, so that no other file can be written either.
        """
        rows = [outputs] if self.options.side_by_side else [(output,) for output in outputs]
        for path, row in zip(task.outputs, rows, strict=True):
            try:
                with self.record.writing(path, task.source):
                    write_output(path, row, picture, side_by_side=self.options.side_by_side)
            except ValueError as error:
                self.bad[task.input.file] = f"{task.input.file}: {error}"
                return False
            except OSError as error:
                reason = f"{path}: can't be written: {explained(error)}"
                if error.errno in _STOPPING:
                    raise I2IError(
                        f"{reason}; what is done stays; run the same command again to continue"
                    ) from error
                self.bad[task.input.file] = reason
                return False
        return True

    def _note(self, task: Task, why: str) -> None:
        """Note why a file can't be translated."""
        self.bad[task.input.file] = why
        if task.input not in self.ready:
            self.advance(1)


def _output_dtype(model: Model, prepared: Prepared) -> Whole:
    """uint16 if the training images or the file have 16 bits, else uint8."""
    deep = np.uint16 in (model.dtype, prepared.picture.pixels.dtype)
    return np.uint16 if deep else np.uint8
