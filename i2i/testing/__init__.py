"""Checks that a plugin's components keep the contracts of i2i, for the plugin's own tests.

`python -m i2i.testing` and `pytest --pyargs i2i.testing` check everything that is registered.
"""

from i2i.testing.checks import (
    check_dataset,
    check_discriminator,
    check_generator,
    check_loss,
    check_method,
    check_metric,
)
from i2i.testing.outcome import ConformanceError

__all__ = [
    "ConformanceError",
    "check_dataset",
    "check_discriminator",
    "check_generator",
    "check_loss",
    "check_method",
    "check_metric",
]
