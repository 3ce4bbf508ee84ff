"""The callbacks of a run: save checkpoints, translate samples, validate."""

import math
from collections.abc import Callable

from torch import nn

from i2i.batch import Batch
from i2i.datasets.dataset import Dataset
from i2i.datasets.decoded import Decoded
from i2i.datasets.info import dataset_info
from i2i.evaluation.collection import Result
from i2i.evaluation.samples import SampleFolder
from i2i.evaluation.split import measure
from i2i.evaluation.translations import translate_pairs
from i2i.images.sheets import spread
from i2i.recipe.assemble import higher_is_better
from i2i.recipe.paths import without_paths
from i2i.run_folder import RunFolder
from i2i.runs.data import Splits
from i2i.training import checkpoint as checkpoints
from i2i.training.loop import Callbacks
from i2i.training.trainer import FilesOf, Trainer


def callbacks(
    trainer: Trainer,
    folder: RunFolder,
    dataset: Dataset,
    splits: Splits,
    saved: Callable[[], None],
) -> Callbacks:
    """The callbacks of a run; only rank 0 writes files and measures.

    Args:
        trainer: The training.
        folder: The run's folder.
        dataset: The data set, for the model files.
        splits: Its decoded splits.
        saved: Called after each checkpoint.
    """
    recipe, engine = trainer.recipe, trainer.engine
    data = dataset_info(dataset).to_json()
    portable = without_paths(recipe).to_toml()
    sampled = splits.val if splits.val.names else splits.test

    def save(trainer: Trainer) -> None:
        if not engine.leads:
            return
        trainer.require_finite()
        best_step = trainer.best[0] if trainer.best else None
        checkpoints.save(
            folder.checkpoints,
            trainer.step,
            model=trainer.model,
            recipe=portable,
            data=data,
            training=trainer.state(),
            best=best_step,
        )
        trainer.saved_step = trainer.step
        saved()
        checkpoints.prune(folder.checkpoints, recipe.checkpoint.keep_last, best_step)

    def sample(model: nn.Module, step: int) -> None:
        if engine.leads:
            indices = spread(len(sampled.names), recipe.log.samples)
            for translated in translate_pairs(model, sampled, recipe, engine.device, indices):
                SampleFolder(folder.samples).write(translated, f"step-{step:08d}")

    def validate(model: nn.Module) -> dict[str, Result]:
        return measure(model, splits.val, recipe, engine.device, recipe.validation.metrics)

    return Callbacks(
        save,
        sample,
        validate if engine.leads and splits.val.names else None,
        _improves(higher_is_better(recipe.validation.best)),
        _files_of(splits.train),
    )


def _improves(upwards: bool) -> Callable[[float, float], bool]:
    """A function that tells whether its first value is better; all are better than NaN and ∞."""

    def improves(value: float, other: float) -> bool:
        if not math.isfinite(other):  # saved by an earlier version
            return True
        return value > other if upwards else value < other

    return improves


def _files_of(pairs: Decoded) -> FilesOf:
    """A function that names the pairs of a batch and the files that they were read from."""
    files = dict(zip(pairs.names, pairs.files, strict=True))

    def named(batch: Batch) -> str:
        return ", ".join(
            f"{name} ({', '.join(map(str, files[name]))})" if files[name] else name
            for name in batch.names
        )

    return named
