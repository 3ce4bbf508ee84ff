"""What a discriminator says of a batch: logits, of one scale or of several, and features."""

from collections.abc import Sequence

from torch import Tensor

Judgement = Tensor | Sequence[Tensor | Sequence[Tensor]]
"""What a discriminator returns for a batch: logits; or a sequence with an entry for each scale,
which is logits, or the feature maps of the layers in their order and, as the last one, logits."""

Features = Sequence[Sequence[Tensor]]
"""For each scale of a discriminator, the feature maps of its layers in their order."""


def logits_of(judgement: Judgement) -> list[Tensor]:
    """The logits of each scale."""
    if isinstance(judgement, Tensor):
        return [judgement]
    return [scale if isinstance(scale, Tensor) else scale[-1] for scale in judgement]


def features_of(judgement: Judgement) -> list[list[Tensor]]:
    """The feature maps of each scale; none for a scale of logits alone."""
    if isinstance(judgement, Tensor):
        return [[]]
    return [[] if isinstance(scale, Tensor) else list(scale[:-1]) for scale in judgement]
