"""Building of a recipe's components: data set, networks, losses, method and metrics."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from i2i.datasets.dataset import Dataset
from i2i.datasets.halved import Halved
from i2i.errors import PluginError, RecipeError
from i2i.losses.adversarial import AdversarialLoss
from i2i.methods.contract import check_method
from i2i.methods.method import Method, trained_parameters
from i2i.metrics.metric import Metric
from i2i.plugins.build import build
from i2i.plugins.manager import registry
from i2i.recipe import Component, Recipe, metric_problems, parse_metric
from i2i.recipe.networks import RecipeNetworks


def assemble_dataset(recipe: Recipe) -> Dataset:
    """Build the recipe's data set.

    Raises:
        RecipeError: If the method needs pairs and the data have none, or the other way round.
        PluginError: If the method is no `Method`.
    """
    dataset: Dataset = _component(recipe.data, paired=recipe.data.paired)
    if dataset.paired and recipe.data.paired is False:
        dataset = Halved(dataset)
    method = registry().get("method", recipe.method.type).load()
    if not (isinstance(method, type) and issubclass(method, Method)):
        raise PluginError(f"{method_title(recipe)}: is no subclass of i2i.Method")
    needs_pairs = method.paired
    if needs_pairs != dataset.paired:
        raise RecipeError([_mismatch(recipe, needs_pairs)])
    return dataset


def _mismatch(recipe: Recipe, needs_pairs: bool) -> str:
    data, title = f"data '{recipe.data.type}'", method_title(recipe)
    if needs_pairs:
        return (
            f"{title} needs pairs, but the training images of {data} are unpaired: choose a method "
            "for unpaired images (method.type), or give each input and its target the same name"
        )
    return (
        f"{title} is for unpaired images, but {data} has pairs: set data.paired = false to draw "
        "inputs and targets independently, or choose a method for pairs (method.type)"
    )


def assemble_generator(
    recipe: Recipe, input_channels: int, target_channels: int, *, trained: bool = False
) -> nn.Module:
    """Build the recipe's generator, see `RecipeNetworks.generator`."""
    networks = RecipeNetworks(recipe, input_channels, target_channels)
    return networks.generator(trained=trained)


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
    recipe: Recipe, channels: tuple[int, int], losses: Mapping[str, nn.Module]
) -> Method:
    """Build the recipe's method, with its networks.

    Args:
        recipe: The recipe.
        channels: Channels of inputs and targets.
        losses: The recipe's losses by label.

    Raises:
        PluginError: If the method doesn't keep the contract of `Method`.
        RecipeError: If a player has no parameters to train, or `[optimizer]` names an unknown one.
    """
    weights = [loss.weight for loss in recipe.losses]
    method: Method = _component(
        recipe.method,
        networks=RecipeNetworks(recipe, *channels),
        losses={label: (losses[label], w) for label, w in zip(losses, weights, strict=True)},
        seed=recipe.seed,
    )
    check_method(method, method_title(recipe))
    unknown = recipe.optimizer.players.keys() - method.players.keys()
    if unknown:
        known = ", ".join(method.players)
        raise RecipeError(
            [
                f"optimizer.{player}: method '{recipe.method.type}' has no player of this name. "
                f"Known: {known}"
                for player in sorted(unknown)
            ]
        )
    frozen = [player for player, own in trained_parameters(method).items() if not own]
    if frozen:
        raise RecipeError([f"{player}: has no parameters to train" for player in frozen])
    return method


def method_title(recipe: Recipe) -> str:
    """What messages call the recipe's method: its name and its plugin."""
    return f"method '{recipe.method.type}' of {registry().get('method', recipe.method.type).plugin}"


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
