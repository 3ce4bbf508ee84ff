"""The callbacks of a run: save checkpoints, translate samples, validate."""

import math
from collections.abc import Callable

from i2i.batch import Batch
from i2i.datasets.dataset import Dataset
from i2i.datasets.decoded import Decoded
from i2i.datasets.info import dataset_info
from i2i.evaluation.collection import Result
from i2i.evaluation.samples import SampleFolder
from i2i.evaluation.split import measure
from i2i.evaluation.translations import (
    Images,
    inputs_of,
    translate_images,
    translated_back,
    way_back,
)
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
    described = dataset_info(dataset)
    directions = trainer.method.models
    data = {name: described.towards(way).to_json() for name, way in directions.items()}
    portable = without_paths(recipe).to_toml()
    sampled = splits.val if len(splits.val) else splits.test

    def save(trainer: Trainer) -> None:
        if not engine.leads:
            return
        trainer.require_finite()
        best_step = trainer.best[0] if trainer.best else None
        checkpoints.save(
            folder.checkpoints,
            trainer.step,
            models=trainer.models,
            recipe=portable,
            data=data,
            training=trainer.state(),
            best=best_step,
        )
        trainer.saved_step = trainer.step
        saved()
        checkpoints.prune(folder.checkpoints, recipe.checkpoint.keep_last, best_step)

    def sample(trainer: Trainer) -> None:
        for name, model in trainer.models.items() if engine.leads else ():
            images = sampled.towards(directions[name])
            indices = spread(len(inputs_of(images)), recipe.log.samples)
            back = way_back(trainer.models, directions, name)
            samples = SampleFolder(folder.of(name).samples)
            for translated in translate_images(model, images, recipe, engine.device, indices):
                both = translated_back(translated, back, recipe, engine.device)
                samples.write(both, f"step-{trainer.step:08d}")

    def validate(trainer: Trainer) -> dict[str, Result]:
        metrics = recipe.validation.metrics
        return measure(trainer.model, splits.val, recipe, engine.device, metrics)

    return Callbacks(
        save,
        sample,
        validate if engine.leads and len(splits.val) else None,
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


def _files_of(images: Images) -> FilesOf:
    """A function that names the images of a batch and the files that they were read from."""
    sides = [images] if isinstance(images, Decoded) else [images.inputs, images.targets]
    files = [dict(zip(side.names, side.files, strict=True)) for side in sides]

    def named(batch: Batch) -> str:
        return ", ".join(
            f"{name} ({', '.join(map(str, own[name]))})" if own[name] else name
            for own, names in zip(files, (batch.names, batch.target_names), strict=False)
            for name in names
        )

    return named
