"""A summary of what a recipe builds, and of its data, without memory for weights."""

import torch
from torch import nn

from i2i.batch import Batch
from i2i.recipe import Recipe
from i2i.recipe.assemble import (
    assemble_dataset,
    assemble_discriminators,
    assemble_generator,
    assemble_losses,
    assemble_method,
)


def inspect(recipe: Recipe) -> list[str]:
    """Describe a recipe: the networks' parameters and shapes, the objective, and the data's layout.

    The networks are built on torch's meta device, which stores no values.

    Returns:
        Lines of text.

    Raises:
        I2IError: If a component can't be built with the recipe's options.
    """
    dataset = assemble_dataset(recipe)
    channels = dataset.input_channels, dataset.target_channels
    losses = {label: loss.to("meta") for label, loss in assemble_losses(recipe).items()}
    with torch.device("meta"):
        generator = assemble_generator(recipe, *channels)
        discriminators = assemble_discriminators(recipe, losses, *channels)
        method = assemble_method(recipe, generator, discriminators, losses)
        images = [torch.empty(2, n, *recipe.augment.crop) for n in channels]
        shapes: dict[str, str] = {}
        for name, network in method.networks.items():
            network.register_forward_hook(
                lambda _, inputs, output, name=name: shapes.update(
                    {name: f"{_shape(inputs[0])} -> {_shape(output)}"}
                )
            )
        batch = Batch(images[0], images[1], ("", ""))
        output = method.translate(batch)
        for players in method.rounds:
            method.losses(players, batch, output)
    lines = [f"{recipe.name}: the recipe is valid"]
    for name, network in method.networks.items():
        lines.append(f"  {name:<24} {_parameters(network):>12,} parameters   {shapes[name]}")
    objective = " + ".join(
        f"{loss.weight:g} {label}"
        for label, loss in zip(recipe.loss_labels, recipe.losses, strict=True)
    )
    lines.append(f"  objective                {objective}")
    return [*lines, *(f"  {remark}" for remark in dataset.remarks)]


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _shape(images: torch.Tensor) -> str:
    return "x".join(str(side) for side in images.shape[1:])
