"""Dropout of all kinds at test time, with the noise of the image."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from i2i.model.noise import Noise

Combined = Callable[[Tensor, Tensor, float], Tensor]
"""Called with the features, which of them are kept, and the fraction that is dropped."""

_SATURATION = 1.7580993408473766
"""Dropped values of alpha dropout are the negative of this, the limit of SELU (Klambauer et al.
2017, section 3)."""


def _dropout(
    combined: Combined,
    whole_channels: bool,
    noise: Noise | None,
    features: Tensor,
    p: float = 0.5,
    *_: Any,
    **__: Any,
) -> Tensor:
    """Drop values, or whole channels; `combined` puts the kept and the dropped ones together."""
    if noise is None:
        return features
    if p in (0, 1):
        return features * (1 - p)
    return combined(features, noise.keep(features, p, whole_channels), p)


def _scaled(features: Tensor, kept: Tensor, p: float) -> Tensor:
    """Dropped values are 0, and the others scaled up."""
    return features * kept.to(features.dtype).div(1 - p)


def _saturated(features: Tensor, kept: Tensor, p: float) -> Tensor:
    """Alpha dropout: dropped values are SELU's limit, and mean and variance are kept."""
    scale = ((1 - p) * (1 + p * _SATURATION**2)) ** -0.5
    return torch.where(kept, features, -_SATURATION).mul(scale).add(p * _SATURATION * scale)


def _attention(
    noise: Noise | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """`F.scaled_dot_product_attention`, whose dropout is of the weights."""

    def attend(value: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask, 0.0, is_causal, scale=scale, enable_gqa=enable_gqa
        )

    if noise is None or dropout_p == 0:
        return attend(value)
    # With unit vectors as values, the outputs are the weights.
    places = key.shape[-2]
    units = torch.eye(places, dtype=value.dtype, device=value.device)
    weights = attend(units.expand(*key.shape[:-2], places, places))
    if enable_gqa:
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    return _dropout(_scaled, False, noise, weights, dropout_p) @ value


DROPOUTS: dict[Callable[..., Any], Callable[..., Tensor]] = {
    F.dropout: partial(_dropout, _scaled, False),
    F.dropout1d: partial(_dropout, _scaled, True),
    F.dropout2d: partial(_dropout, _scaled, True),
    F.dropout3d: partial(_dropout, _scaled, True),
    F.alpha_dropout: partial(_dropout, _saturated, False),
    F.feature_alpha_dropout: partial(_dropout, _saturated, True),
    F.scaled_dot_product_attention: _attention,
    torch.dropout: partial(_dropout, _scaled, False),
    torch.feature_dropout: partial(_dropout, _scaled, True),
    torch.alpha_dropout: partial(_dropout, _saturated, False),
    torch.feature_alpha_dropout: partial(_dropout, _saturated, True),
}
"""What computes each function at test time, also if it is told that it is not in training. It takes
the noise, or None if dropout is off, before the function's own arguments."""
