"""timm's models, with weights from i2i's catalogue where it has them."""

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

_CATALOGUED = {
    "tf_efficientnet_lite0": "efficientnet_lite0",
    "tf_efficientnet_lite0.in1k": "efficientnet_lite0",
}
"""Names in i2i's catalogue, by timm's model names."""


def timm_model(name: str, *, pretrained: bool, **options: Any) -> nn.Module:
    """Create a timm model; pretrained weights come from i2i's catalogue, or else from timm.

    `i2i.weights.used()` lists the weights under the model's name, with the SHA-256 of the
    catalogue's tensors or of the state dict that timm loaded. On the meta device nothing is
    fetched.

    Args:
        name: From `timm.list_models()`, with or without a tag.
        pretrained: Whether to load pretrained weights.
        options: Passed to `timm.create_model`, e.g. `features_only`, `in_chans`, `num_classes`.

    Raises:
        WeightsError: If the weights are unavailable.
        Exception: Anything that timm raises if the model rejects the options.
    """
    import timm

    if not pretrained or torch.get_default_device().type == "meta":
        plain: nn.Module = timm.create_model(name, pretrained=False, **options)
        return plain
    if name in _CATALOGUED:
        ours = resolve(_CATALOGUED[name])
        overlay = {"file": str(ours.path)}
        with _without_warnings():
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
        # If the options are invalid, this raises timm's own error.
        timm.create_model(name, pretrained=False, **options)
        reason = str(error).partition("\n")[0].rstrip(".")
        raise WeightsError(
            f"the pretrained weights of '{name}' are unavailable from {source}: {reason}. "
            "Download them into timm's cache on a machine with network access, or use "
            "tf_efficientnet_lite0, which i2i fetches from other sources"
        ) from error
    return model, source


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence timm's warning about unused classifier weights."""
    logger = logging.getLogger("timm.models._builder")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
