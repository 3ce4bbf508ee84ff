"""A segmentation network that trains in a second or two."""

from pathlib import Path
from typing import Any

import pytest

from i2i.recipe import parse_recipe
from i2i.recipe.segmenter_schema import SegmenterRecipe
from i2i.segmentation.network import Segmenter, save_segmenter
from i2i.training.segmenter import train_segmenter

SMALL = {
    "encoder": "test_efficientnet",
    "pretrained": False,
    "base_channels": 8,
    "epochs": 8,
    "batch_size": 8,
    "lr": 5e-3,
}


def small_recipe(**sections: Any) -> SegmenterRecipe:
    document: dict[str, Any] = {
        "name": "small",
        "data": {"type": "synthetic", "train": 40, "val": 8, "test": 8},
        "augment": {"crop_size": 32, "load_size": 36, "flip": True},
        "losses": [{"type": "l1"}],
        "train": {"device": "cpu"},
        "segmenter": SMALL,
    }
    for name, section in sections.items():
        document[name] = section if "type" in section else {**document.get(name, {}), **section}
    return parse_recipe(document, model=SegmenterRecipe)


def trained(folder: Path) -> tuple[Segmenter, Path]:
    """A trained one and its file, with a cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(folder / "cache"))
        segmenter = train_segmenter(small_recipe())
    path = folder / "small.safetensors"
    save_segmenter(segmenter, path)
    return segmenter, path
