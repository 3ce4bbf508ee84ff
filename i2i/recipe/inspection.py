"""A summary of what a recipe builds, and of its data, without memory for weights."""

from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_dataset, assemble_losses
from i2i.recipe.dry_run import LARGEST, bytes_text, dry_run, parameters


def inspect(recipe: Recipe, *, available: int = LARGEST) -> list[str]:
    """Describe a recipe: the networks' parameters and shapes, the objective, and the data's layout.

    The networks are built and called on torch's meta device, which stores no values.

    Args:
        recipe: The recipe.
        available: Bytes of memory that the training may need.

    Returns:
        Lines of text.

    Raises:
        I2IError: If a component can't be built with the recipe's options, or the networks can't be
            trained on images of this size.
    """
    dataset = assemble_dataset(recipe)
    channels = dataset.input_channels, dataset.target_channels
    found = dry_run(recipe, channels, assemble_losses(recipe), available=available)
    lines = [f"{recipe.name}: the recipe is valid"]
    if found is None:
        lines.append("  a component can't be tried without data: sizes were not checked")
    else:
        for name, network in found.networks.items():
            shape = found.shapes.get(name, "")
            lines.append(f"  {name:<24} {parameters(network):>12,} parameters   {shape}".rstrip())
        lines.append(f"  {'memory':<24} {'at least ' + bytes_text(found.memory):>12}")
    objective = " + ".join(
        f"{loss.weight:g} {label}"
        for label, loss in zip(recipe.loss_labels, recipe.losses, strict=True)
    )
    lines.append(f"  objective                {objective}")
    return [*lines, *(f"  {remark}" for remark in dataset.remarks)]
