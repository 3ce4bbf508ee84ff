"""Features of target images, kept by content: the same targets are looked at only once."""

from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from i2i.metrics.extractors import Extractor
from i2i.system.cache import cache_dir
from i2i.system.files import replacing
from i2i.system.hashing import json_sha256, tensors_sha256


def known_features(extractor: Extractor, content: str, device: torch.device) -> Tensor | None:
    """Features `(n, d)` that were kept of images with this content; None if there are none.

    Args:
        extractor: What made them.
        content: SHA-256 over the images, in their order.
        device: What computed them: devices differ in the last digits.
    """
    path = _path(extractor, content, device)
    try:
        with safe_open(path, framework="pt") as file:
            features: Tensor = file.get_tensor("features")
            found = tensors_sha256({"features": features})
            whole = (file.metadata() or {}).get("sha256") == found
    except (OSError, SafetensorError):
        return None
    return features if whole else None


def keep_features(
    extractor: Extractor, content: str, device: torch.device, features: Tensor
) -> None:
    """Keep features for `known_features`; a full disk only means that they aren't kept."""
    path = _path(extractor, content, device)
    tensors = {"features": features}
    with suppress(OSError, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as unfinished:
            save_file(tensors, unfinished, {"sha256": tensors_sha256(tensors)})


def _path(extractor: Extractor, content: str, device: torch.device) -> Path:
    what = [dict(extractor.settings), content, device.type, torch.__version__]
    return cache_dir() / "references" / f"{json_sha256(what)[:32]}.safetensors"
