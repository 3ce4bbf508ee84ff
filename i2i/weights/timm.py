"""timm's models, with weights from our sources where we have them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from i2i.errors import WeightsError
from i2i.system.hashing import tensors_sha256
from i2i.weights.resolve import resolve
from i2i.weights.used import record

_OURS = {
    "tf_efficientnet_lite0": "efficientnet_lite0",
    "tf_efficientnet_lite0.in1k": "efficientnet_lite0",
}
"""Our weights by the names that timm's models have."""


def timm_model(name: str, *, pretrained: bool, **options: Any) -> nn.Module:
    """One of timm's models; pretrained weights are ours where we have them, else timm's download.

    What was loaded is in `i2i.weights.used` under the model's name, with the SHA-256 of our tensors
    or of the state dict that timm's download gave. On the meta device nothing is fetched.

    Args:
        name: From `timm.list_models()`, with or without a tag.
        pretrained: Whether to load weights.
        options: `timm.create_model`'s own, such as `features_only`, `in_chans`, `num_classes`.

    Raises:
        WeightsError: If the weights can't be had.
        Exception: Whatever timm raises where the model doesn't take the options.
    """
    import timm

    if not pretrained or torch.get_default_device().type == "meta":
        plain: nn.Module = timm.create_model(name, pretrained=False, **options)
        return plain
    if name in _OURS:
        ours = resolve(_OURS[name])
        overlay = {"file": str(ours.path)}
        with _unworried():
            model: nn.Module = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, **options
            )
        record(name, ours.sha256, ours.source)
        return model
    model, source = _downloaded(name, options)
    record(name, tensors_sha256(model.state_dict()), source)
    return model


def _downloaded(name: str, options: dict[str, Any]) -> tuple[nn.Module, str]:
    import timm

    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        raise WeightsError(
            f"timm has no pretrained weights for '{name}': see timm.list_pretrained()"
        )
    source = f"timm's own download, {config.hf_hub_id or config.url}"
    try:
        model: nn.Module = timm.create_model(name, pretrained=True, **options)
    except Exception as error:
        # If the options are what is wrong, this says so in timm's words.
        timm.create_model(name, pretrained=False, **options)
        reason = str(error).partition("\n")[0].rstrip(".")
        raise WeightsError(
            f"the pretrained weights of '{name}' can't be had from {source}: {reason}. Fetch them "
            "into timm's cache where the network reaches further, or take tf_efficientnet_lite0, "
            "which i2i has its own sources for"
        ) from error
    return model, source


@contextmanager
def _unworried() -> Iterator[None]:
    """Keep timm from warning that a network without a classifier has no use for its weights."""
    log = logging.getLogger("timm.models._builder")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
