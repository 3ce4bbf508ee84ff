"""The optimizers of a method's players."""

from collections.abc import Mapping

import torch
from torch import nn

from i2i.recipe.schema import Optimizer


def build_optimizers(
    settings: Optimizer, parameters: Mapping[str, list[nn.Parameter]]
) -> dict[str, torch.optim.Adam]:
    """Build the optimizer of each player: Adam, or AdamW with `weight_decay`.

    Args:
        settings: The recipe's `[optimizer]`.
        parameters: Trained parameters by player.
    """
    return {player: _built(settings.of(player), own) for player, own in parameters.items()}


def _built(settings: Optimizer, parameters: list[nn.Parameter]) -> torch.optim.Adam:
    common = (parameters, settings.lr, settings.betas, settings.eps)
    if settings.weight_decay:
        return torch.optim.AdamW(*common, settings.weight_decay, fused=True)
    return torch.optim.Adam(*common, fused=True)
