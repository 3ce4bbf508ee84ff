"""Learning-rate schedules."""

from math import cos, pi

from i2i.recipe.schema import Schedule


def rate_factor(schedule: Schedule, progress: float) -> float:
    """The factor on the learning rate at a point of the training.

    Args:
        schedule: Its type, and the point from which the rate decays to zero.
        progress: The share of the training that is done, in [0, 1].
    """
    decay = max(0.0, (progress - schedule.decay_from) / (1 - schedule.decay_from))
    match schedule.type:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - decay
        case "cosine":
            return (1 + cos(pi * decay)) / 2
