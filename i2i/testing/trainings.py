"""Small trainings of a method, and what they leave."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from i2i.methods.method import Method
from i2i.model.file import read_model
from i2i.recipe import Recipe, parse_recipe
from i2i.recipe.assemble import assemble_dataset, assemble_losses, assemble_method
from i2i.run_folder import RunFolder, read_log
from i2i.runs.run import run
from i2i.testing.outcome import ConformanceError
from i2i.testing.subject import Subject, known
from i2i.training import checkpoint as checkpoints

STILL = {"base_channels": 4, "norm": "instance"}
"""Options of small networks whose images don't depend on each other."""

RECIPE: Mapping[str, Any] = {
    "name": "testing",
    "data": {"type": "synthetic", "train": 16, "val": 0, "test": 0},
    "augment": {"load_size": 36, "crop_size": 32},
    "generator": {"type": "unet", "depth": 3, "dropout": 0.0, **STILL},
    "discriminator": {"type": "patch", "receptive_field": 16, **STILL},
    "losses": [{"type": "cgan"}, {"type": "l1", "weight": 100.0}],
    "schedule": {"type": "constant"},
    "train": {"batch_size": 4, "device": "cpu", "precision": 32, "workers": 0},
    "validation": {"every": 0},
    "checkpoint": {"every": 1000},
    "log": {"every": 1, "samples_every": 0},
}
"""The recipe that a method is trained with, unless it offers its own `example_recipe`."""


@dataclass(frozen=True)
class Trained:
    """The result of a small training.

    Args:
        losses: The losses of the first step of this run by name.
        models: The weights of each model by name.
        state: Everything in the last checkpoint: tensors, numbers and texts by their place.
    """

    losses: Mapping[str, float]
    models: Mapping[str, Mapping[str, Tensor]]
    state: Mapping[str, Any]


def recipe_of(subject: Subject, **options: Any) -> Recipe:
    """The recipe of a small training.

    Args:
        subject: The method; it must be registered.
        options: Keys of `[train]`.

    Raises:
        RecipeError: If the method's options or its sections of the recipe are wrong.
    """
    document = {name: value for name, value in RECIPE.items() if name != "data"}
    document["data"] = dict(RECIPE["data"])
    if not subject.entry.load().paired:
        document["data"]["paired"] = False
    for name, section in subject.recipe.items():
        own = document.get(name)
        if isinstance(own, dict) and isinstance(section, dict) and "type" not in section:
            document[name] = own | section
        else:
            document[name] = section
    document["method"] = {"type": subject.entry.name, **subject.options}
    document["train"] = {**document["train"], **options}
    return parse_recipe(document)


def method_of(recipe: Recipe) -> Method:
    """Build the method of a recipe, and check that it keeps the contract of `Method`."""
    dataset = assemble_dataset(recipe)
    channels = dataset.input_channels, dataset.target_channels
    return assemble_method(recipe, channels, assemble_losses(recipe))


def train(subject: Subject, folder: Path, *, resume: bool = False, **options: Any) -> Trained:
    """Train as `run_small` does, and read what is left."""
    run_small(subject, folder, resume=resume, **options)
    return result(subject, folder)


def run_small(subject: Subject, folder: Path, *, resume: bool = False, **options: Any) -> None:
    """Train for a few steps through the public interface.

    Args:
        subject: The method.
        folder: The run's folder.
        resume: Whether to go on with the run in the folder.
        options: Keys of `[train]`.

    Raises:
        ConformanceError: If the training fails.
    """
    with known(subject.entry), subject.doing("can't be trained"):
        finished = run(recipe_of(subject, **options), out=folder, resume=resume, quiet=True)
    subject.require(finished.status == 0, f"ends its training with status {finished.status}")


def result(subject: Subject, folder: Path) -> Trained:
    """Read what a training left.

    Raises:
        ConformanceError: If there is no undamaged checkpoint.
    """
    checkpoint, skipped = checkpoints.newest(RunFolder(folder).checkpoints)
    if checkpoint is None:
        raise ConformanceError(f"{subject.title} left no checkpoint: {'; '.join(skipped)}")
    models = {
        name: read_model(checkpoint.path / checkpoints.model_file(name)).tensors
        for name in checkpoints.models_in(checkpoint.path)
    }
    state = {
        **dict(_leaves("", checkpoints.load_training(checkpoint))),
        **dict(_leaves("", models)),
    }
    return Trained(read_log(RunFolder(folder).metrics)[0]["losses"], models, state)


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every tensor, number and text in nested dicts and lists, with its place in them."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(f"{place}.{key}" if place else str(key), inner)
    else:
        yield place, value
