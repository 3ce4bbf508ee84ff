"""Default metrics for splits without pairs, where those of the schema can't be measured."""

from i2i.datasets.unpaired import Unpaired
from i2i.recipe import Recipe
from i2i.recipe.schema import Eval, Validation
from i2i.runs.data import Splits

SETS = ("fid", "kid")
"""The default metrics where there are no pairs: they compare outputs and targets as sets."""


def with_metrics_of_sets(recipe: Recipe, splits: Splits) -> tuple[Recipe, list[str]]:
    """Replace default metrics that need pairs, for splits that have none.

    Returns:
        The recipe, and a line for each change.
    """
    notes: list[str] = []
    changes: dict[str, Eval | Validation] = {}
    if isinstance(splits.test, Unpaired) and recipe.eval.metrics == Eval().metrics:
        changes["eval"] = recipe.eval.model_copy(update={"metrics": SETS})
        notes.append(
            f"the test images are unpaired: eval.metrics is {', '.join(SETS)} instead of "
            f"{', '.join(recipe.eval.metrics)}, which need pairs"
        )
    validates = recipe.validation.every and recipe.validation.metrics == Validation().metrics
    if isinstance(splits.val, Unpaired) and validates:
        changes["validation"] = recipe.validation.model_copy(update={"every": 0})
        notes.append(
            "the validation images are unpaired: there is no validation, because l1 needs pairs; "
            "set validation.metrics and validation.best to a metric of sets, such as kid"
        )
    return recipe.model_copy(update=changes), notes
