"""timm's models on verified weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from i2i.errors import WeightsError
from i2i.weights import catalogue, load, used
from i2i.weights.timm import timm_model

NAME = "tf_efficientnet_lite0"


@pytest.mark.parametrize("options", [{}, {"num_classes": 0}, {"features_only": True}])
def test_every_tensor_of_the_model_is_the_pretrained_one(
    weights: Path, options: dict[str, object]
) -> None:
    state = timm_model(NAME, pretrained=True, **options).state_dict()
    tensors = load("efficientnet_lite0").tensors
    assert len(state) > 280
    assert all(torch.equal(state[name], tensors[name]) for name in state)
    assert used()[NAME]["sha256"] == catalogue()["efficientnet_lite0"].sha256
    assert used()[NAME]["source"] == "your folder"


def test_other_channels_take_the_first_kernels_sum(weights: Path) -> None:
    model = timm_model(NAME, pretrained=True, features_only=True, in_chans=1)
    kernel = load("efficientnet_lite0").tensors["conv_stem.weight"]
    torch.testing.assert_close(model.state_dict()["conv_stem.weight"], kernel.sum(1, keepdim=True))


def test_on_the_meta_device_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2I_WEIGHTS_DIR", "/nonexistent")
    with torch.device("meta"):
        assert next(timm_model(NAME, pretrained=True).parameters()).is_meta


def test_a_download_that_fails_names_model_source_and_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        WeightsError, match=r"'resnet18' are unavailable from timm's own.*Download them"
    ):
        timm_model("resnet18", pretrained=True)


def test_a_model_without_weights_is_refused_rather_than_random() -> None:
    with pytest.raises(WeightsError, match="no pretrained weights for 'resnetblur18'"):
        timm_model("resnetblur18", pretrained=True)


@pytest.mark.parametrize(("picture", "label"), [("chelsea", 285), ("coffee", 967), ("rocket", 657)])
def test_the_classifier_knows_real_pictures(weights: Path, picture: str, label: int) -> None:
    data = pytest.importorskip("skimage.data")
    try:
        pixels = np.asarray(getattr(data, picture)())
    except (OSError, ImportError) as error:
        pytest.skip(f"scikit-image's pictures aren't here: {error}")
    image = Image.fromarray(pixels)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize(
        (224, 224), Image.Resampling.BICUBIC
    )
    model = timm_model(NAME, pretrained=True).eval()
    mean, std = (torch.tensor(model.default_cfg[key])[:, None, None] for key in ("mean", "std"))
    batch = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        assert F.softmax(model((batch - mean) / std), 1).argmax() == label
