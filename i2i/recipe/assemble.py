"""Building of a recipe's components: data set, networks, losses, method and metrics."""

from typing import Any

import torch
from torch import nn

from i2i.datasets.dataset import Dataset
from i2i.errors import RecipeError
from i2i.losses.adversarial import AdversarialLoss
from i2i.methods.method import Method, trained_parameters
from i2i.metrics.metric import Metric
from i2i.plugins.build import build
from i2i.plugins.manager import registry
from i2i.randomness import Stream, derived_seed
from i2i.recipe import Component, Recipe, metric_problems, parse_metric


def assemble_dataset(recipe: Recipe) -> Dataset:
    """Build the recipe's data set."""
    dataset: Dataset = _component(recipe.data)
    return dataset


def assemble_generator(
    recipe: Recipe, input_channels: int, target_channels: int, *, trained: bool = False
) -> nn.Module:
    """Build the recipe's generator, with initial weights from the recipe's seed.

    Args:
        recipe: The recipe.
        input_channels: Channels of the input.
        target_channels: Channels of the output.
        trained: True if the caller replaces the weights by trained ones. The option `pretrained`
            is then turned off, so that no weights are downloaded.
    """
    torch.default_generator.manual_seed(derived_seed(Stream.WEIGHTS, recipe.seed, 0))
    section = recipe.generator
    if trained and "pretrained" in section.options:
        section = section.model_copy(update={"pretrained": False})
    generator: nn.Module = _component(
        section,
        in_channels=input_channels,
        out_channels=target_channels,
        image_size=recipe.augment.crop,
    )
    return generator


def assemble_discriminators(
    recipe: Recipe, losses: dict[str, nn.Module], input_channels: int, target_channels: int
) -> dict[str, nn.Module]:
    """Build a discriminator for each adversarial loss; return them by the label of the loss."""
    discriminators = {}
    for i, (label, section) in enumerate(zip(losses, recipe.losses, strict=True)):
        loss = losses[label]
        if not isinstance(loss, AdversarialLoss):
            continue
        torch.default_generator.manual_seed(derived_seed(Stream.WEIGHTS, recipe.seed, i + 1))
        discriminators[label] = _component(
            section.discriminator or recipe.discriminator,
            in_channels=target_channels + (input_channels if loss.conditional else 0),
            image_size=recipe.augment.crop,
        )
    return discriminators


def assemble_losses(recipe: Recipe) -> dict[str, nn.Module]:
    """Build the recipe's losses; return them by label.

    Raises:
        RecipeError: If a loss that isn't adversarial has a `discriminator`.
    """
    losses: dict[str, nn.Module] = {}
    for i, (label, section) in enumerate(zip(recipe.loss_labels, recipe.losses, strict=True)):
        losses[label] = _component(section)
        if section.discriminator and not isinstance(losses[label], AdversarialLoss):
            raise RecipeError(
                [
                    f"losses.{i}.discriminator: '{section.type}' is not adversarial and uses no "
                    "discriminator; remove the key"
                ]
            )
    return losses


def assemble_method(
    recipe: Recipe,
    generator: nn.Module,
    discriminators: dict[str, nn.Module],
    losses: dict[str, nn.Module],
) -> Method:
    """Build the recipe's method from its networks and losses.

    Raises:
        RecipeError: If a player has no parameters to train.
    """
    weights = [loss.weight for loss in recipe.losses]
    method: Method = _component(
        recipe.method,
        generator=generator,
        discriminators=discriminators,
        losses={label: (losses[label], w) for label, w in zip(losses, weights, strict=True)},
    )
    frozen = [player for player, own in trained_parameters(method).items() if not own]
    if frozen:
        raise RecipeError([f"{player}: has no parameters to train" for player in frozen])
    return method


def assemble_metric(text: str) -> Metric:
    """Build a metric from its name and options as in a recipe, such as `fid:preset=tf1`.

    Raises:
        WeightsError: If weights that it needs are unavailable.
        RecipeError: If the name or an option is wrong.
    """
    found = metric_problems(text, text)
    if found:
        raise RecipeError([str(problem) for problem in found])
    name, options = parse_metric(text)
    metric: Metric = build(registry().get("metric", name), options)
    return metric


def higher_is_better(text: str) -> bool:
    """Whether higher values of a metric are better; does not build the metric."""
    higher: bool = registry().get("metric", parse_metric(text)[0]).load().higher_is_better
    return higher


def is_played_alone(recipe: Recipe) -> bool:
    """Whether none of the recipe's losses is adversarial; does not build the losses."""
    losses = (registry().get(loss.kind, loss.type).load() for loss in recipe.losses)
    return all(isinstance(loss, type) and not issubclass(loss, AdversarialLoss) for loss in losses)


def _component(section: Component, **known: Any) -> Any:
    return build(registry().get(section.kind, section.type), section.options, **known)
