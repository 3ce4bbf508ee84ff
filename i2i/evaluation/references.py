"""Disk cache of target features: features of the same target images are computed only once."""

from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from i2i.metrics.extractors import Extractor
from i2i.system.cache import cache_dir
from i2i.system.files import ABANDONED_AFTER, remove_leftovers
from i2i.system.hashing import json_sha256, tensors_sha256
from i2i.system.tensor_file import opened, write_tensors


def known_features(extractor: Extractor, content: str, device: torch.device) -> Tensor | None:
    """Read the features `(n, d)` of images from the cache; None if they are missing or damaged.

    Args:
        extractor: The extractor that computed them.
        content: SHA-256 over the images, in their order.
        device: The device that computed them: results of devices differ in the last digits.
    """
    path = _path(extractor, content, device)
    try:
        with opened(path) as file:
            features: Tensor = file.get_tensor("features")
            found = tensors_sha256({"features": features})
            intact = (file.metadata() or {}).get("sha256") == found
    except (OSError, SafetensorError):
        return None
    return features if intact else None


def keep_features(
    extractor: Extractor, content: str, device: torch.device, features: Tensor
) -> None:
    """Write features to the cache for `known_features`; errors such as a full disk are ignored."""
    path = _path(extractor, content, device)
    tensors = {"features": features}
    with suppress(OSError, SafetensorError):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent, untouched_for=ABANDONED_AFTER)
        write_tensors(path, tensors, {"sha256": tensors_sha256(tensors)})


def _path(extractor: Extractor, content: str, device: torch.device) -> Path:
    what = [dict(extractor.settings), content, device.type, torch.__version__]
    return cache_dir() / "references" / f"{json_sha256(what)[:32]}.safetensors"
