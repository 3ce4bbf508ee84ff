"""A whole run: train a recipe, translate and measure the test split, write the report."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from i2i.datasets.dataset import Dataset
from i2i.datasets.loader import Loader
from i2i.errors import RecipeError
from i2i.evaluation.results import summary
from i2i.evaluation.split import evaluate_split
from i2i.evaluation.translations import way_back
from i2i.methods.method import Method
from i2i.model.file import load_model
from i2i.recipe import Recipe, load_recipe, load_run_recipe
from i2i.recipe.assemble import assemble_dataset, assemble_losses, assemble_method
from i2i.recipe.dry_run import LARGEST, dry_run
from i2i.run_folder import RunFolder
from i2i.runs.begin import check_metrics, introduce, record
from i2i.runs.callbacks import callbacks
from i2i.runs.data import Splits, decode_splits, steps_per_epoch
from i2i.runs.earlier import check_free, nothing, set_aside
from i2i.runs.holding import holding
from i2i.runs.resume import Resumed, resume_training
from i2i.runs.unpaired import with_metrics_of_sets
from i2i.system.console import Console
from i2i.system.devices import memory_of
from i2i.training import checkpoint as checkpoints
from i2i.training.engine import Engine
from i2i.training.log import MetricsLog
from i2i.training.loop import train
from i2i.training.trainer import Trainer


@dataclass(frozen=True)
class Finished:
    """The result of a run.

    Args:
        folder: The run's folder.
        status: The exit status: 0; 1 if a metric of `[eval]` is unavailable; or 130 or 143 if
            SIGINT or SIGTERM stopped the run.
        metrics: Values on the test split by metric, None for an unavailable one. None as a whole if
            the run was stopped, or has no test split.
    """

    folder: RunFolder
    status: int
    metrics: dict[str, float | None] | None


def run(
    recipe: Recipe | Path | str,
    *,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
    wait: bool = False,
) -> Finished:
    """Train a recipe, translate and measure the test split, and write the report.

    Args:
        recipe: A recipe, or the path of its file.
        out: The run's folder; `runs/<name>` by default.
        resume: Resume from the newest undamaged checkpoint.
        overwrite: Replace an earlier run in the same folder. It is removed only when the new one
            has saved its first checkpoint.
        quiet: Print nothing to the console.
        wait: Wait for another process that is at work in the folder, instead of raising an error.

    Raises:
        I2IError: A subclass of it, for every error that the user can fix.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    folder = RunFolder(out or Path("runs") / recipe.name)
    if resume and recipe.train.precision == "auto" and folder.recipe.exists():
        recipe = recipe.with_precision(load_run_recipe(folder.recipe).train.precision)
    options = recipe.train
    with ExitStack() as stack:
        engine = stack.enter_context(
            Engine(
                options.device,
                options.precision,
                deterministic=options.deterministic,
                channels_last=options.channels_last,
                compile=options.compile,
            )
        )
        recipe = recipe.with_precision(engine.precision)
        _check_shares(recipe, engine.ranks)
        dataset = assemble_dataset(recipe)
        method = _method(recipe, engine, dataset)
        if engine.leads:
            stack.enter_context(holding(folder, wait=wait))
            check_free(folder, resume=resume, overwrite=overwrite)
            splits = decode_splits(recipe, dataset)
        engine.barrier()
        if not engine.leads:
            splits = decode_splits(recipe, dataset)
        recipe, metric_notes = with_metrics_of_sets(recipe, splits)
        trainer = Trainer(recipe, engine, method, steps_per_epoch(recipe, splits.train))
        console = stack.enter_context(closing(Console(quiet=quiet or not engine.leads)))
        resumed = resume_training(trainer, folder, splits.fingerprints) if resume else Resumed()
        introduce(console, trainer, dataset, splits, resumed)
        for note in metric_notes:
            console.say(f"NOTICE: {note}")
        saved = nothing
        if engine.leads:
            check_metrics(recipe, splits, engine, console)
            if not resume:
                saved = stack.enter_context(set_aside(folder))
            record(trainer, folder, dataset, splits, resumed)
        status = _train(trainer, folder, dataset, splits, console, saved)
        metrics = None
        if engine.leads and status == 0:
            console.close()
            metrics = _finish(trainer, folder, splits, console)
            status = 1 if metrics and None in metrics.values() else 0
        elif engine.leads:
            console.say(f"stopped at step {trainer.step}; saved. Resume with --resume")
    return Finished(folder, status, metrics)


def _method(recipe: Recipe, engine: Engine, dataset: Dataset) -> Method:
    """Build the recipe's method, with its losses on the engine's device."""
    channels = dataset.input_channels, dataset.target_channels
    losses = {label: loss.to(engine.device) for label, loss in assemble_losses(recipe).items()}
    available = memory_of(engine.device) or LARGEST
    dry_run(recipe, channels, losses, ranks=engine.ranks, available=available)
    return assemble_method(recipe, channels, losses)


def _check_shares(recipe: Recipe, ranks: int) -> None:
    """Raise RecipeError if the batch can't be divided equally among processes and parts."""
    parts = ranks * recipe.train.accumulate
    if recipe.train.batch_size % parts:
        raise RecipeError(
            [
                f"train.batch_size: {recipe.train.batch_size} can't be shared by {ranks} "
                f"processes in {recipe.train.accumulate} parts each; make it a multiple of {parts}"
            ]
        )


def _train(
    trainer: Trainer,
    folder: RunFolder,
    dataset: Dataset,
    splits: Splits,
    console: Console,
    saved: Callable[[], None],
) -> int:
    recipe, engine = trainer.recipe, trainer.engine
    loader = Loader(
        splits.train,
        batch_size=recipe.train.batch_size,
        crop=recipe.augment.crop,
        flip=recipe.augment.flip,
        seed=recipe.seed,
        rank=engine.rank,
        ranks=engine.ranks,
        workers=recipe.train.workers,
        pin_memory=engine.device.type == "cuda",
    )
    log = MetricsLog(
        folder.metrics if engine.leads else None,
        trainer.step,
        folder.tensorboard if recipe.log.tensorboard else None,
    )
    with log:
        called = callbacks(trainer, folder, dataset, splits, saved)
        return train(trainer, loader, log, console, called)


def _finish(
    trainer: Trainer, folder: RunFolder, splits: Splits, console: Console
) -> dict[str, float | None] | None:
    """Measure the test split and write the report; return the metrics, see `Finished`."""
    metrics = None
    if len(splits.test):
        step = _load_best(trainer, folder, console)
        documents = {
            name: _measured(trainer, name, folder, splits, step) for name in trainer.models
        }
        asked = trainer.recipe.eval.metrics
        metrics = {text: documents["generator"]["metrics"][text] for text in asked}
        for name, document in documents.items():
            about = "" if len(documents) == 1 else f"{name}: "
            for line in summary(document):
                console.say(f"{about}{line}")
    else:
        console.say("there is no test split, so no test metrics were computed")
    from i2i.report import write_report  # here, because matplotlib is slow to import

    write_report(folder)
    console.say(f"report: {folder.report}")
    return metrics


def _load_best(trainer: Trainer, folder: RunFolder, console: Console) -> int:
    """Load the best checkpoint's models if the recipe evaluates these; return their step."""
    if trainer.recipe.eval.weights != "best" or trainer.best is None:
        return trainer.step
    best, passed_over = checkpoints.to_use(folder.checkpoints, "best")
    for why in passed_over:
        console.say(f"skipped a damaged checkpoint: {why}")
    for name, model in trainer.models.items():
        load_model(best.path / checkpoints.model_file(name), model)
    return best.step


def _measured(
    trainer: Trainer, name: str, folder: RunFolder, splits: Splits, step: int
) -> dict[str, Any]:
    """Evaluate a model on the test split; return the document of `metrics.json`."""
    directions = trainer.method.models
    return evaluate_split(
        trainer.models[name],
        splits.test.towards(directions[name]),
        trainer.recipe,
        trainer.engine.device,
        folder.of(name).evaluation,
        metrics=trainer.recipe.eval.metrics,
        split="test",
        step=step,
        back=way_back(trainer.models, directions, name),
    )
