"""The training loop."""

import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from i2i.datasets.loader import Loader
from i2i.evaluation.collection import Result
from i2i.system.console import Console, Pace
from i2i.system.signals import asked_to_stop
from i2i.training.log import Meter, MetricsLog, progress
from i2i.training.trainer import FilesOf, Trainer


@dataclass(frozen=True)
class Callbacks:
    """Functions that the loop calls to save, sample and validate.

    Args:
        save: Writes a checkpoint.
        sample: Translates the sample images and writes them under the trainer's step.
        validate: Measures the default model on the validation split and returns the results by
            metric; None without validation images, and on every rank but 0.
        improves: Whether the first value is better than the second, by the metric that selects the
            best checkpoint (`validation.best`).
        files: Names the files of a batch, for error messages.
    """

    save: Callable[[Trainer], None]
    sample: Callable[[Trainer], None]
    validate: Callable[[Trainer], Mapping[str, Result]] | None
    improves: Callable[[float, float], bool]
    files: FilesOf


def train(
    trainer: Trainer, loader: Loader, log: MetricsLog, console: Console, callbacks: Callbacks
) -> int:
    """Train to the last step, or until a signal asks to stop.

    Returns:
        The exit status: 0 after the last step, 143 after SIGTERM, 130 after SIGINT, 129 after
        SIGHUP. A signal ends the training after the current step, with a checkpoint.

    Raises:
        TrainingError: If a loss or a gradient is not finite. No checkpoint is saved.
        Exception: Any error of the console, the log, sampling or validation. A checkpoint of this
            step is saved first.
    """
    recipe, engine = trainer.recipe, trainer.engine

    def due(every: int) -> bool:
        return every > 0 and (trainer.step % every == 0 or trainer.step == trainer.total_steps)

    meter, pace = Meter(), Pace(trainer.step, trainer.total_steps)
    batches = loader.batches(trainer.step)
    with asked_to_stop() as signals:
        while trainer.step < trainer.total_steps:
            with meter.waiting():
                batch = next(batches)
            rate, epoch = trainer.learning_rate, trainer.epoch
            losses = trainer.update(batch, callbacks.files)
            meter.add(losses, len(batch.names) * engine.ranks)
            improved = False
            try:
                console.show(progress(pace, trainer.step, epoch, losses, meter.rate))
                if due(recipe.log.every):
                    log.write(trainer.step, epoch=epoch, lr=rate, **meter.take())
                if due(recipe.log.samples_every):
                    callbacks.sample(trainer)
                if due(recipe.validation.every):
                    improved = _validated(trainer, log, console, callbacks)
            except Exception:
                callbacks.save(trainer)
                raise
            stopping = engine.any(bool(signals))
            if improved or stopping or due(recipe.checkpoint.every):
                callbacks.save(trainer)
            if stopping and trainer.step < trainer.total_steps:
                return 128 + (signals[0] if signals else signal.SIGTERM)
            meter.restart_clock()
    return 0


def remember_best(
    trainer: Trainer, values: Mapping[str, float], improves: Callable[[float, float], bool]
) -> bool:
    """Store this step as the best if its `validation.best` value improves; return whether it does.

    A value that is not finite is never the best: no later value could improve on infinity.

    Args:
        trainer: Its `best` is updated.
        values: Validation values by metric.
        improves: Whether the first value is better than the second.
    """
    value = values.get(trainer.recipe.validation.best)
    if value is None or not math.isfinite(value):
        return False
    if trainer.best is not None and not improves(value, trainer.best[1]):
        return False
    trainer.best = (trainer.step, value)
    return True


def _validated(trainer: Trainer, log: MetricsLog, console: Console, callbacks: Callbacks) -> bool:
    """Validate and log the model on rank 0; return whether it is the best so far."""
    if callbacks.validate is None:
        return False
    results = callbacks.validate(trainer)
    values = {name: result.value for name, result in results.items() if result.value is not None}
    improved = remember_best(trainer, values, callbacks.improves)
    if values:
        log.write(trainer.step, validation=values)
        console.say(f"step {trainer.step}: validation {_brief(values, improved)}")
    for name, result in results.items():
        if result.problem is not None:
            console.say(*result.problem.after(f"step {trainer.step}: {name} is unavailable: "))
    return improved


def _brief(values: Mapping[str, float], improved: bool) -> str:
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    return f"{numbers}  (best so far)" if improved else numbers
