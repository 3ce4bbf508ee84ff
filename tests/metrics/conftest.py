"""What the tests of metrics share: real photos, and the real weights for more than one test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from i2i.metrics.extractors import InceptionExtractor, inception_extractor
from tests.conftest import FACADES


@pytest.fixture(scope="session")
def photos() -> Tensor:
    """The photos of the first facades of the test split, whole numbers `(96, 3, 256, 256)`."""
    if not FACADES.is_dir():
        pytest.skip("needs the real facades in ../shared/facades")
    files = sorted((FACADES / "test").glob("*.jpg"), key=lambda file: int(file.stem))[:96]
    pairs = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    return torch.from_numpy(pairs[:, :, :256].transpose(0, 3, 1, 2).copy())


@pytest.fixture(scope="module")
def inception(
    weights_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., InceptionExtractor]]:
    """Extractors by preset, with the real weights and a cache that outlive one test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_WEIGHTS_DIR", str(weights_cache))
        patch.setenv("I2I_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield inception_extractor
