"""What is known of a study's runs before the first one starts: whether they can run to the end."""

from collections.abc import Iterator, Mapping, Sequence

import torch

from i2i.datasets.dataset import Dataset, Split
from i2i.errors import DataError, I2IError, ManyProblems, RecipeError, WeightsError
from i2i.evaluation.split import refusals_of
from i2i.images.types import Array
from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_dataset
from i2i.recipe.dry_run import LARGEST
from i2i.recipe.inspection import inspect
from i2i.system.devices import choose_device, memory_of

Recipes = Mapping[str, Recipe]
"""A recipe by the name of its variant; seeds don't matter."""

Datasets = Mapping[str, Dataset]


def check(recipes: Recipes) -> Datasets:
    """Check that recipes can be trained on this machine, and their test splits be measured.

    Returns:
        Their data sets, by variant.

    Raises:
        RecipeError: If components reject the options of a recipe, or a network is too large.
        DataError: If the data are unavailable, a split is too small, or a metric refuses images.
        WeightsError: If weights of a metric are unavailable.
        I2IError: If this machine lacks a device.
    """
    _check_networks(recipes)
    shared = {_data(recipe): assemble_dataset(recipe) for recipe in recipes.values()}
    datasets = {variant: shared[_data(recipe)] for variant, recipe in recipes.items()}
    problems = [
        line for v, recipe in recipes.items() for line in _too_small(v, recipe, datasets[v])
    ]
    if problems:
        raise DataError(problems)
    _check_metrics(recipes, datasets)
    return datasets


def _check_networks(recipes: Recipes) -> None:
    problems: dict[str, type[ManyProblems]] = {}
    for variant, recipe in recipes.items():
        available = memory_of(choose_device(recipe.train.device)) or LARGEST
        try:
            inspect(recipe, available=available)
        except RecipeError as error:
            problems |= {f"variant '{variant}': {p}": RecipeError for p in error.problems}
        except DataError as error:
            problems |= dict.fromkeys(error.problems, DataError)
    if problems:
        raise next(iter(problems.values()))(list(problems))


def _too_small(variant: str, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
    """Describe splits that are too small to train on or to measure."""
    pairs, batch = len(dataset.pairs("train")), recipe.train.batch_size
    if pairs < batch:
        yield (
            f"variant '{variant}': the training split has {pairs} pairs, fewer than "
            f"train.batch_size {batch}"
        )
    if not dataset.pairs("test"):
        yield (
            f"variant '{variant}': its data has no test split, on which a study measures every "
            "run; add test pairs"
        )


def _check_metrics(recipes: Recipes, datasets: Datasets) -> None:
    """Measure one pair of every split with the metrics that the runs will compute on it."""
    problems: dict[str, I2IError] = {}
    for recipe, dataset in {_measured(r): (r, datasets[v]) for v, r in recipes.items()}.values():
        wanted: dict[Split, Sequence[str]] = {"test": recipe.eval.metrics}
        if recipe.validation.every:
            wanted["val"] = recipe.validation.metrics
        for split, metrics in wanted.items():
            if pairs := dataset.pairs(split):
                inputs, targets = map(_batch, _first(dataset, split, recipe))
                device = torch.device("cpu")
                problems |= refusals_of(metrics, inputs, targets, len(pairs), device)
    lines = [line for text, error in problems.items() for line in error.after(f"{text}: ")]
    lines.insert(0, "these metrics can't be computed, so no run was started:")
    if any(isinstance(error, WeightsError) for error in problems.values()):
        raise WeightsError(*lines)
    if problems:
        raise DataError(lines)


def _first(dataset: Dataset, split: Split, recipe: Recipe) -> tuple[Array, Array]:
    """Decode the first pair of a split; the first readable one if the recipe skips others."""
    problems: list[str] = []
    for pair in dataset.pairs(split):
        try:
            return pair.load(recipe.augment.crop)
        except DataError as error:
            problems += error.problems
            if recipe.data.on_bad == "error":
                break
    raise DataError(problems)


def _batch(image: Array) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1)[None].copy())


def _measured(recipe: Recipe) -> str:
    """Everything that the measuring of a pair depends on."""
    crop, validation = recipe.augment.crop, recipe.validation
    return f"{_data(recipe)} {crop} {recipe.eval.metrics} {validation.every} {validation.metrics}"


def _data(recipe: Recipe) -> str:
    return recipe.data.model_dump_json()
