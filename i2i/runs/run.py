"""A whole run: from a recipe to a trained model, its translations of the test split, a report."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from i2i.recipe.assemble import (
    assemble_dataset,
    assemble_discriminators,
    assemble_generator,
    assemble_losses,
    assemble_method,
    higher_is_better,
)
from i2i.batch import Batch
from i2i.datasets.about import about
from i2i.datasets.base import SPLITS, Dataset
from i2i.datasets.decoded import Decoded, decode
from i2i.images import save_image
from i2i.datasets.loader import Loader
from i2i.system.console import Console
from i2i.system.environment import command, git_commit, machine, versions
from i2i.errors import DataError, RecipeError, WeightsError
from i2i.evaluation.measuring import Result
from i2i.evaluation.results import summary
from i2i.evaluation.split import evaluate_split, measure, refusals
from i2i.evaluation.translations import sample_sheet
from i2i.system.files import write_whole
from i2i.model.file import load_model
from i2i.recipe import Recipe, load_recipe
from i2i.run_folder import RunFolder
from i2i.training import checkpoint as checkpoints
from i2i.training.engine import Engine
from i2i.system.devices import has_fast_bf16
from i2i.training.log import MetricsLog
from i2i.training.loop import Chores, train
from i2i.runs.resume import check_same_data, check_same_recipe
from i2i.training.trainer import Trainer
from i2i.weights import used


@dataclass(frozen=True)
class Finished:
    """How a run ended.

    Args:
        folder: Where everything is.
        status: 0; the exit status of the signal that stopped it; or 1 where a metric of `[eval]`
            is unavailable.
        metrics: What was measured on the test split, with None for metrics that are unavailable;
            None if the run was stopped before, or there is no test split.
    """

    folder: RunFolder
    status: int
    metrics: dict[str, float | None] | None


@dataclass(frozen=True)
class Splits:
    """The decoded data: training pairs at the loading size, the others at the networks' size."""

    train: Decoded
    val: Decoded
    test: Decoded


def run(
    recipe: Recipe | Path | str,
    *,
    out: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> Finished:
    """Train what a recipe says, translate the test split, measure it and write the report.

    Args:
        recipe: A recipe, or its file.
        out: The run's folder; `runs/<name>` by default.
        resume: Go on from the newest checkpoint that is whole.
        overwrite: Remove a run that is there already.
        quiet: Say nothing on the console.

    Raises:
        I2IError: One of its kinds, for whatever a user can mend.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    folder = RunFolder(out or Path("runs") / recipe.name)
    if resume and recipe.train.precision == "auto" and folder.recipe.exists():
        recipe = recipe.with_precision(load_recipe(folder.recipe).train.precision)
    train_options = recipe.train
    with Engine(
        train_options.device,
        train_options.precision,
        deterministic=train_options.deterministic,
        channels_last=train_options.channels_last,
        compile=train_options.compile,
    ) as engine:
        recipe = recipe.with_precision(engine.precision)
        _check_shares(recipe, engine.ranks)
        dataset = assemble_dataset(recipe)
        trainer = _trainer(recipe, engine, dataset)
        if engine.leads:
            folder.begin(resume=resume, overwrite=overwrite)
            splits = _decode(recipe, dataset)
        engine.barrier()
        if not engine.leads:
            splits = _decode(recipe, dataset)
        trainer.steps_per_epoch = _steps_per_epoch(recipe, splits.train)
        passed_over: list[str] = []
        if resume:
            passed_over = _resume(trainer, folder, splits)
        talk = Console(quiet=quiet or not engine.leads)
        try:
            _introduce(talk, trainer, dataset, splits, passed_over)
            if engine.leads:
                _check_metrics(recipe, splits, engine, talk)
                _record(recipe, folder, engine, dataset, splits)
            status = _train(trainer, folder, dataset, splits, talk)
            metrics = None
            if engine.leads and status == 0:
                talk.close()
                metrics = _finish(trainer, folder, splits, talk)
                status = 1 if metrics and None in metrics.values() else 0
            elif engine.leads:
                talk.say(f"stopped at step {trainer.step}; saved. Go on with --resume")
        finally:
            talk.close()
    return Finished(folder, status, metrics)


def _trainer(recipe: Recipe, engine: Engine, dataset: Dataset) -> Trainer:
    channels = dataset.input_channels, dataset.target_channels
    losses = {label: loss.to(engine.device) for label, loss in assemble_losses(recipe).items()}
    generator = engine.wrap(assemble_generator(recipe, *channels))
    discriminators = {
        label: engine.wrap(network)
        for label, network in assemble_discriminators(recipe, losses, *channels).items()
    }
    method = assemble_method(recipe, generator, discriminators, losses)
    return Trainer(recipe, engine, method)


def _check_shares(recipe: Recipe, ranks: int) -> None:
    parts = ranks * recipe.train.accumulate
    if recipe.train.batch_size % parts:
        raise RecipeError(
            [
                f"train.batch_size: {recipe.train.batch_size} can't be shared by {ranks} "
                f"processes in {recipe.train.accumulate} parts each; make it a multiple of {parts}"
            ]
        )


def _decode(recipe: Recipe, dataset: Dataset) -> Splits:
    sizes = {"train": recipe.augment.load, "val": recipe.augment.crop, "test": recipe.augment.crop}
    problems: list[str] = []
    decoded: dict[str, Decoded] = {}
    for split in SPLITS:
        try:
            decoded[split] = decode(dataset, split, sizes[split], on_bad=recipe.data.on_bad)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    return Splits(**decoded)


def _steps_per_epoch(recipe: Recipe, pairs: Decoded) -> int:
    steps = len(pairs.names) // recipe.train.batch_size
    if steps == 0:
        raise DataError(
            [
                f"the training split has {len(pairs.names)} pairs, fewer than train.batch_size "
                f"{recipe.train.batch_size}"
            ]
        )
    return steps


def _resume(trainer: Trainer, folder: RunFolder, splits: Splits) -> list[str]:
    """Go back to the newest checkpoint that is whole; why others were passed over."""
    criterion = trainer.recipe.validation.best
    if folder.recipe.exists():
        saved = load_recipe(folder.recipe)
        check_same_recipe(trainer.recipe, saved, folder.recipe)
        criterion = saved.validation.best
    if folder.environment.exists():
        check_same_data(folder.environment, _fingerprints(splits))
    if trainer.engine.leads:
        checkpoints.clean(folder.checkpoints)
    trainer.engine.barrier()
    newest, passed_over = checkpoints.newest(folder.checkpoints)
    if newest is not None:
        trainer.restore(newest)
    if criterion != trainer.recipe.validation.best:
        trainer.best = None  # values of two metrics don't compare
    return passed_over


def _introduce(
    talk: Console, trainer: Trainer, dataset: Dataset, splits: Splits, passed_over: list[str]
) -> None:
    for reason in passed_over:
        talk.say(f"passed over a damaged checkpoint: {reason}")
    if dataset.notice:
        talk.say(f"NOTICE: {dataset.notice}")
    for split in (splits.train, splits.val, splits.test):
        for name, reason in split.skipped:
            talk.say(f"left out {name}: {reason}")
    counts = ", ".join(f"{len(getattr(splits, name).names)} {name}" for name in SPLITS)
    engine = trainer.engine
    precision = "" if engine.precision == 32 else f" in {engine.precision}"
    talk.say(f"{trainer.recipe.name}: {counts} pairs, on {engine.device}{precision}")
    if engine.half is not None and engine.device.type == "cpu" and not has_fast_bf16():
        talk.say(
            f"NOTICE: this processor has no fast instructions for {engine.precision}, which is "
            "slower here than train.precision = 32"
        )
    parameters = (f"{name} {_counted(n)}" for name, n in trainer.method.networks.items())
    talk.say(f"parameters: {', '.join(parameters)}")
    if trainer.step:
        talk.say(f"going on from step {trainer.step} of {trainer.total_steps}")


def _counted(network: nn.Module) -> str:
    """How many parameters a network has, and how many of them are trained if not all are."""
    every = sum(p.numel() for p in network.parameters())
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return f"{every:,}" if trained == every else f"{every:,} ({trained:,} trained)"


def _check_metrics(recipe: Recipe, splits: Splits, engine: Engine, talk: Console) -> None:
    """Find out before the first step what will be measured, and fetch what that needs.

    Raises:
        WeightsError: If weights of a metric of `[validation]` are unavailable.
        DataError: If such a metric can't be measured on the validation split's images.
    """
    if splits.val.names and recipe.validation.every:
        problems = refusals(recipe.validation.metrics, splits.val, engine.device).values()
        for problem in problems:
            if isinstance(problem, WeightsError):
                raise problem
        if problems:
            raise DataError(
                [
                    *(f"validation.metrics: {problem}" for problem in problems),
                    "Measure something else while training (validation.metrics, validation.best), "
                    "or nothing (validation.every = 0)",
                ]
            )
    if splits.test.names:
        problems_at_the_end = refusals(recipe.eval.metrics, splits.test, engine.device)
        for text, problem in problems_at_the_end.items():
            talk.say(f"{text} will be unavailable, and this run end with status 1: {problem}")
    for name, weights in used().items():
        talk.say(f"weights: {name}, {weights['source']}")


def _record(
    recipe: Recipe, folder: RunFolder, engine: Engine, dataset: Dataset, splits: Splits
) -> None:
    write_whole(folder.recipe, recipe.to_toml())
    decoded = {name: getattr(splits, name) for name in SPLITS}
    environment: dict[str, Any] = {
        "versions": versions(),
        "machine": machine(),
        "device": str(engine.device),
        "precision": engine.precision,
        "ranks": engine.ranks,
        "weights": used(),
        "git": git_commit(),
        "command": command(),
        "data": {
            "type": recipe.data.type,
            "fingerprint": _fingerprints(splits),
            "pairs": {name: len(split.names) for name, split in decoded.items()},
            "skipped": {name: list(split.skipped) for name, split in decoded.items()},
            "credit": dataset.credit,
            "notice": dataset.notice,
        },
    }
    write_whole(folder.environment, json.dumps(environment, indent=2) + "\n")


def _fingerprints(splits: Splits) -> dict[str, str]:
    return {name: getattr(splits, name).fingerprint for name in SPLITS}


def _train(
    trainer: Trainer, folder: RunFolder, dataset: Dataset, splits: Splits, talk: Console
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
        return train(trainer, loader, log, talk, _chores(trainer, folder, dataset, splits))


def _chores(trainer: Trainer, folder: RunFolder, dataset: Dataset, splits: Splits) -> Chores:
    recipe, engine = trainer.recipe, trainer.engine
    files = dict(zip(splits.train.names, splits.train.files, strict=True))
    watched = splits.val if splits.val.names else splits.test
    upwards = higher_is_better(recipe.validation.best)

    def save(trainer: Trainer) -> None:
        if not engine.leads:
            return
        best_step = trainer.best[0] if trainer.best else None
        checkpoints.save(
            folder.checkpoints,
            trainer.step,
            model=trainer.model,
            recipe=recipe.to_toml(),
            data=about(dataset).to_json(),
            training=trainer.state(),
            best=best_step,
        )
        checkpoints.prune(folder.checkpoints, recipe.checkpoint.keep_last, best_step)

    def sample(model: Any, step: int) -> None:
        if engine.leads and watched.names:
            page = sample_sheet(model, watched, recipe, engine.device, recipe.log.samples)
            save_image(page, folder.samples / f"step-{step:08d}")

    def validate(model: Any) -> dict[str, Result]:
        return measure(model, splits.val, recipe, engine.device, recipe.validation.metrics)

    def improves(value: float, other: float) -> bool:
        if math.isnan(other):
            return True
        return value > other if upwards else value < other

    def named(batch: Batch) -> str:
        return ", ".join(
            f"{name} ({', '.join(map(str, files[name]))})" if files[name] else name
            for name in batch.names
        )

    measured = engine.leads and splits.val.names
    return Chores(save, sample, validate if measured else None, improves, named)


def _finish(
    trainer: Trainer, folder: RunFolder, splits: Splits, talk: Console
) -> dict[str, float | None] | None:
    metrics = None
    recipe = trainer.recipe
    if splits.test.names:
        step = trainer.step
        if recipe.eval.weights == "best" and trainer.best is not None:
            step = trainer.best[0]
            best = checkpoints.at(folder.checkpoints, step)
            load_model(checkpoints.verify(best).path / checkpoints.MODEL, trainer.model)
        document = evaluate_split(
            trainer.model,
            splits.test,
            recipe,
            trainer.engine.device,
            folder.evaluation,
            metrics=recipe.eval.metrics,
            split="test",
            step=step,
        )
        metrics = {text: document["metrics"][text] for text in recipe.eval.metrics}
        for line in summary(document):
            talk.say(line)
    else:
        talk.say("there is no test split, so nothing was measured at the end")
    from i2i.report import write_report  # draws with matplotlib, which loads slowly

    write_report(folder)
    talk.say(f"report: {folder.report}")
    return metrics
