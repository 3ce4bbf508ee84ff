"""Models that need no training: what they give is what they are given, or noise over it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from i2i.datasets.info import DatasetInfo
from i2i.datasets.synthetic import CLASSES
from i2i.images.spec import ImageSpec
from i2i.model.model import Model
from i2i.recipe import parse_recipe
from tests.conftest import tiny

LINES = DatasetInfo(ImageSpec(), ImageSpec(), credit="drawn by <nobody>")
LABELS = DatasetInfo(ImageSpec(), ImageSpec(), palette=CLASSES, labels_side="input")


@pytest.fixture
def model_of(tmp_path: Path) -> Callable[..., Model]:
    def make(
        about: DatasetInfo = LINES, /, generator: nn.Module | None = None, **sections: Any
    ) -> Model:
        return Model(
            (generator or nn.Identity()).eval(),
            parse_recipe(tiny(**sections)),
            about,
            path=tmp_path / "model.safetensors",
            step=7,
            sha256="ab" * 32,
            device=torch.device("cpu"),
        )

    return make
