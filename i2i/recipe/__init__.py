"""Recipes: TOML files that describe a run; fully checked before anything is built."""

from i2i.recipe.component import Component
from i2i.recipe.metrics import parse_metric
from i2i.recipe.reading import load_recipe, metric_problems, parse_recipe
from i2i.recipe.recorded import (
    load_resolved_recipe,
    load_run_recipe,
    parse_run_recipe,
    resolved_recipe,
)
from i2i.recipe.schema import Recipe

__all__ = [
    "Component",
    "Recipe",
    "load_recipe",
    "load_resolved_recipe",
    "load_run_recipe",
    "metric_problems",
    "parse_metric",
    "parse_recipe",
    "parse_run_recipe",
    "resolved_recipe",
]
