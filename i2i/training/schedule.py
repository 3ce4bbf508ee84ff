"""Learning-rate schedules."""

from math import cos, pi

from i2i.recipe.schema import Schedule


def rate_factor(schedule: Schedule, step: int, steps: int) -> float:
    """The factor on the learning rate of a step.

    Args:
        schedule: Its type, the point from which the rate decays to zero, and the warm-up.
        step: Number of steps done.
        steps: Number of steps of the whole training.
    """
    return min(1.0, (step + 1) / (schedule.warmup + 1)) * _decayed(schedule, step / steps)


def _decayed(schedule: Schedule, progress: float) -> float:
    decay = max(0.0, (progress - schedule.decay_from) / (1 - schedule.decay_from))
    match schedule.type:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - decay
        case "cosine":
            return (1 + cos(pi * decay)) / 2
