"""The training loop."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from i2i.datasets.loader import Loader
from i2i.evaluation.collection import Result
from i2i.system.console import Console, Pace
from i2i.system.signals import asked_to_stop
from i2i.training.log import Meter, MetricsLog, progress
from i2i.training.trainer import FilesOf, Trainer


@dataclass(frozen=True)
class Callbacks:
    """What the loop has done for it now and then.

    Args:
        save: Write a checkpoint.
        sample: Translate the sample pairs for a step.
        validate: Measure the model, the results by metric; None where there is nothing to measure
            on, and on ranks that don't lead.
        improves: Whether the first value of the metric that the best is kept by beats the second.
        files: Name a batch's files.
    """

    save: Callable[[Trainer], None]
    sample: Callable[[nn.Module, int], None]
    validate: Callable[[nn.Module], Mapping[str, Result]] | None
    improves: Callable[[float, float], bool]
    files: FilesOf


def train(
    trainer: Trainer, loader: Loader, log: MetricsLog, console: Console, callbacks: Callbacks
) -> int:
    """Train to the last step, or until a signal asks to stop.

    Returns:
        0 at the end; 143 or 130 where SIGTERM or SIGINT ended it, with a checkpoint saved.

    Raises:
        TrainingError: If a loss or a gradient is no longer finite; nothing is saved then.
        Exception: Whatever sampling or validating raises; this step is saved first.
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
            console.show(progress(pace, trainer.step, epoch, losses, meter.rate))

            if due(recipe.log.every):
                log.write(trainer.step, epoch=epoch, lr=rate, **meter.take())
            improved = False
            try:
                if due(recipe.log.samples_every):
                    callbacks.sample(trainer.model, trainer.step)
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
    """Note this step if it is the best so far; whether it is."""
    value = values.get(trainer.recipe.validation.best)
    if value is None or (trainer.best is not None and not improves(value, trainer.best[1])):
        return False
    trainer.best = (trainer.step, value)
    return True


def _validated(trainer: Trainer, log: MetricsLog, console: Console, callbacks: Callbacks) -> bool:
    """Measure the model where this rank does; whether it is the best so far."""
    if callbacks.validate is None:
        return False
    results = callbacks.validate(trainer.model)
    values = {name: result.value for name, result in results.items() if result.value is not None}
    improved = remember_best(trainer, values, callbacks.improves)
    if values:
        log.write(trainer.step, validation=values)
        console.say(f"step {trainer.step}: validation {_brief(values, improved)}")
    for name, result in results.items():
        if result.problem is not None:
            console.say(f"step {trainer.step}: {name} is unavailable: {result.problem}")
    return improved


def _brief(values: Mapping[str, float], improved: bool) -> str:
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    return f"{numbers}  (best so far)" if improved else numbers
