"""i2i: image-to-image translation with a small core and plugins.

Importing this package does not import torch: names that need torch are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from i2i.errors import I2IError
from i2i.hookspecs import Register, RegisterWeights, hookimpl
from i2i.system.version import __version__

if TYPE_CHECKING:
    from i2i.batch import Batch
    from i2i.datasets.dataset import Dataset, Direction, Pair, Single
    from i2i.losses.adversarial import AdversarialLoss, only_adversarial
    from i2i.losses.features import FeatureLoss
    from i2i.losses.judgement import Features, Judgement, features_of, logits_of
    from i2i.methods.method import Method, Terms, WeightedLosses
    from i2i.methods.networks import NetworkFactory
    from i2i.metrics.metric import Metric
    from i2i.model.inference import TestSettings
    from i2i.model.model import Model
    from i2i.recipe import Recipe
    from i2i.runs.evaluate import evaluate
    from i2i.runs.loading import load
    from i2i.runs.run import run
    from i2i.studies.study import study
    from i2i.system.ranks import over_all_ranks
    from i2i.translation.options import TranslationOptions
    from i2i.translation.translate import translate

_LAZY = {
    "AdversarialLoss": "i2i.losses.adversarial",
    "Batch": "i2i.batch",
    "Dataset": "i2i.datasets.dataset",
    "Direction": "i2i.datasets.dataset",
    "FeatureLoss": "i2i.losses.features",
    "Features": "i2i.losses.judgement",
    "Judgement": "i2i.losses.judgement",
    "Method": "i2i.methods.method",
    "Metric": "i2i.metrics.metric",
    "Model": "i2i.model.model",
    "NetworkFactory": "i2i.methods.networks",
    "Pair": "i2i.datasets.dataset",
    "Recipe": "i2i.recipe",
    "Single": "i2i.datasets.dataset",
    "Terms": "i2i.methods.method",
    "TestSettings": "i2i.model.inference",
    "TranslationOptions": "i2i.translation.options",
    "WeightedLosses": "i2i.methods.method",
    "evaluate": "i2i.runs.evaluate",
    "features_of": "i2i.losses.judgement",
    "load": "i2i.runs.loading",
    "logits_of": "i2i.losses.judgement",
    "only_adversarial": "i2i.losses.adversarial",
    "over_all_ranks": "i2i.system.ranks",
    "run": "i2i.runs.run",
    "study": "i2i.studies.study",
    "translate": "i2i.translation.translate",
}

__all__ = [
    "AdversarialLoss",
    "Batch",
    "Dataset",
    "Direction",
    "FeatureLoss",
    "Features",
    "I2IError",
    "Judgement",
    "Method",
    "Metric",
    "Model",
    "NetworkFactory",
    "Pair",
    "Recipe",
    "Register",
    "RegisterWeights",
    "Single",
    "Terms",
    "TestSettings",
    "TranslationOptions",
    "WeightedLosses",
    "__version__",
    "evaluate",
    "features_of",
    "hookimpl",
    "load",
    "logits_of",
    "only_adversarial",
    "over_all_ranks",
    "run",
    "study",
    "translate",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'i2i' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
