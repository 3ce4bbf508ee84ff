"""Before the first step of a run: console messages, checks of the metrics, environment.json."""

import json
import tempfile
from typing import Any

from torch import nn

from i2i.datasets.dataset import Dataset
from i2i.datasets.decoded import Decoded
from i2i.datasets.unpaired import Unpaired
from i2i.errors import DataError, I2IError, WeightsError
from i2i.evaluation.split import refusals
from i2i.recipe import Recipe
from i2i.run_folder import RunFolder
from i2i.runs.data import Splits
from i2i.runs.ranges import narrow_ranges
from i2i.runs.resume import Resumed
from i2i.system.console import Console
from i2i.system.devices import has_fast_bf16
from i2i.system.environment import command, git_commit, machine, versions
from i2i.system.failures import explained
from i2i.system.files import write_whole
from i2i.training.engine import Engine
from i2i.training.trainer import Trainer
from i2i.weights import used


def introduce(
    console: Console, trainer: Trainer, dataset: Dataset, splits: Splits, resumed: Resumed
) -> None:
    """Print the data, the device and the networks of a run, and what was skipped.

    Args:
        console: Where to print.
        trainer: The training that is about to start.
        dataset: Its notice is printed, if it has one, and its remarks.
        splits: The decoded data.
        resumed: What the run resumes from.
    """
    for note in resumed.notes:
        console.say(note)
    if dataset.notice:
        console.say(f"NOTICE: {dataset.notice}")
    for _, split in splits:
        for name, reason in split.skipped:
            console.say(f"left out {name}: {reason}")
    for line in narrow_ranges(splits, dataset):
        console.say(f"NOTICE: {line}")
    counts = ", ".join(f"{split.counts} {name}" for name, split in splits)
    what = "pairs" if dataset.paired else "images (inputs + targets, or pairs)"
    engine = trainer.engine
    precision = "" if engine.precision == 32 else f" in {engine.precision}"
    console.say(f"{trainer.recipe.name}: {counts} {what}, on {engine.device}{precision}")
    for remark in dataset.remarks:
        console.say(remark)
    if engine.half is not None and engine.device.type == "cpu" and not has_fast_bf16():
        console.say(
            f"NOTICE: this processor has no fast instructions for {engine.precision}; "
            "train.precision = 32 is faster"
        )
    parameters = (f"{name} {_counted(n)}" for name, n in trainer.method.networks.items())
    console.say(f"parameters: {', '.join(parameters)}")
    if trainer.step:
        console.say(f"resuming from step {trainer.step} of {trainer.total_steps}")


def _counted(network: nn.Module) -> str:
    """Number of a network's parameters, and of its trained ones if some are frozen."""
    total = sum(p.numel() for p in network.parameters())
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return f"{total:,}" if trained == total else f"{total:,} ({trained:,} trained)"


def check_metrics(recipe: Recipe, splits: Splits, engine: Engine, console: Console) -> None:
    """Check that the metrics can be measured, and download the weights that they need.

    A metric of `[validation]` that can't be measured is an error; one of `[eval]` only prints a
    message, as it is needed only after the training.

    Raises:
        WeightsError: If weights of a metric of `[validation]` are unavailable.
        DataError: If such a metric can't be measured on the images of the validation split.
    """
    if len(splits.val) and recipe.validation.every:
        problems = refusals(recipe.validation.metrics, splits.val, engine.device).values()
        for problem in problems:
            if isinstance(problem, WeightsError):
                raise problem
        if problems:
            raise DataError(
                [
                    *(f"validation.metrics: {problem}" for problem in problems),
                    "Choose other metrics (validation.metrics and validation.best), or turn "
                    "validation off (validation.every = 0)",
                ]
            )
    if len(splits.test):
        problems_at_the_end = refusals(recipe.eval.metrics, splits.test, engine.device)
        for text, problem in problems_at_the_end.items():
            console.say(
                *problem.after(f"{text} will be unavailable, and the run will exit with 1: ")
            )
    for name, weights in used().items():
        console.say(f"weights: {name}, {weights['source']}")


def record(
    trainer: Trainer, folder: RunFolder, dataset: Dataset, splits: Splits, resumed: Resumed
) -> None:
    """Create the folders of a run, and write its hardware, software, data and resolved recipe.

    Raises:
        I2IError: If they can't be written to.
    """
    engine, recipe = trainer.engine, trainer.recipe
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
            "fingerprint": splits.fingerprints,
            "pairs": {name: len(split) for name, split in splits if isinstance(split, Decoded)},
            "unpaired": {
                name: [len(split.inputs), len(split.targets)]
                for name, split in splits
                if isinstance(split, Unpaired)
            },
            "skipped": {name: list(split.skipped) for name, split in splits},
            "credit": dataset.credit,
            "notice": dataset.notice,
            "remarks": list(dataset.remarks),
        },
        "changes": list(resumed.changes),
    }
    try:
        for path in (folder.samples, folder.checkpoints, folder.evaluation):
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        # The environment first: it proves that the folder is a run.
        write_whole(folder.environment, json.dumps(environment, indent=2) + "\n")
        write_whole(folder.recipe, recipe.to_toml())
    except OSError as error:
        raise I2IError(f"{folder.path}: can't be written to: {explained(error)}") from error
