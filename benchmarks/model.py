"""A model file for the benchmarks of translation."""

from pathlib import Path

from benchmarks.networks import method, paper_recipe
from i2i.datasets.info import dataset_info
from i2i.model.file import write_model
from i2i.recipe.assemble import assemble_dataset


def write_untrained(path: Path, data: Path) -> Path:
    """Write the paper's generator for the facades, with random weights: the time is the same."""
    recipe = paper_recipe(256, 1, 64, f"data.root={data}")
    described = dataset_info(assemble_dataset(recipe)).to_json()
    generator = method(recipe).networks["generator"]
    write_model(path, generator, recipe=recipe.to_toml(), data=described, step=0)
    return path
