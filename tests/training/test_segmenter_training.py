"""The segmentation network is trained on what the recipe says, and learns it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.datasets.decoded import decode
from i2i.datasets.synthetic import CLASSES, Synthetic
from i2i.errors import DataError, RecipeError, TrainingError
from i2i.segmentation.data import LabelledPhotos, resize_classes, resize_photos
from i2i.segmentation.network import Segmenter
from i2i.segmentation.palette import Labels
from i2i.training.engine import Engine
from i2i.training.segmenter import measure, train_segmenter
from tests.segmenters import small_recipe, trained


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    return trained(tmp_path_factory.mktemp("segmenter"))[0]


def synthetic(count: int = 8, size: int = 32, **options: Any) -> LabelledPhotos:
    decoded = decode(Synthetic(train=count, **options), "train", (size, size))
    direction = options.get("direction", "label_to_photo")
    side = "input" if direction == "label_to_photo" else "target"
    return LabelledPhotos.of(decoded, side, Labels.of(CLASSES, 3))


def test_it_learns_more_than_the_commonest_class(small: Segmenter) -> None:
    val = LabelledPhotos.of(
        decode(Synthetic(train=40, val=8, test=8), "val", (32, 32)), "input", small.labels
    )
    found = measure(small, val, Engine("cpu"))
    commonest = val.classes.reshape(-1).long().bincount().max().item() / val.classes.numel()
    assert found.per_pixel > commonest + 0.05
    assert found.per_class > 2 / 12
    assert found.as_dict() == small.notes["validation"]


def test_the_same_recipe_gives_the_same_bits_again(small: Segmenter) -> None:
    again = train_segmenter(small_recipe())
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, small.state_dict()[name]), name
    other = train_segmenter(small_recipe(segmenter={"epochs": 1}))
    assert not torch.equal(other.unet.head.weight, small.unet.head.weight)


def test_its_notes_say_what_it_was_trained_on(small: Segmenter) -> None:
    data = small.notes["data"]
    assert data["type"] == "synthetic"
    assert data["labels"] == "input"
    assert data["photos"] == 40
    assert data["train"] == decode(Synthetic(train=40), "train", (32, 32)).fingerprint
    assert small.notes["segmenter"]["encoder"] == "test_efficientnet"


def test_an_epoch_is_a_line_and_the_end_tells_validation_scores() -> None:
    lines: list[str] = []
    train_segmenter(small_recipe(segmenter={"epochs": 2}), lines.append)
    assert "12 classes: 40 training photos, 8 for validation, on cpu" in lines[0]
    assert lines[1].startswith("epoch 1/2  loss ")
    assert "validation per-pixel" in lines[1]
    assert lines[-1].startswith("validation: per-pixel 0.")


def test_classes_are_cut_and_mirrored_as_their_photos_are() -> None:
    data = synthetic()
    labels = torch.tensor(list(CLASSES.values()), dtype=torch.float32)
    # Photos that show their own classes must still do so after the augmentation.
    array = data.decoded.array.copy()
    array[:, 3:] = array[:, :3]
    data = replace(data, decoded=replace(data.decoded, array=array))
    photos, classes = data.augmented(
        list(range(8)), load=(32, 32), crop=(24, 28), flip=True, seed=3, epoch=1
    )
    assert photos.shape == (8, 3, 24, 28)
    shown = ((photos + 1) * 127.5).permute(0, 2, 3, 1)
    assert torch.allclose(shown, labels[classes], atol=1e-3)


def test_it_trains_on_parts_that_the_encoder_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Size] = []
    forward = Segmenter.forward

    def watched(self: Segmenter, photos: torch.Tensor) -> torch.Tensor:
        if not photos.is_meta:  # the trial before anything is allocated
            seen.append(photos.shape)
        return forward(self, photos)

    monkeypatch.setattr(Segmenter, "forward", watched)
    train_segmenter(
        small_recipe(
            data={"train": 8, "val": 2},
            augment={"crop_size": 96, "load_size": 100},
            segmenter={"epochs": 1, "crop_fraction": 0.4},
        )
    )
    assert seen == [(8, 3, 64, 64), (2, 3, 96, 96)]


def test_photos_and_maps_may_stand_on_either_side() -> None:
    one, other = synthetic(), synthetic(direction="photo_to_label")
    assert torch.equal(one.photos([2, 5]), other.photos([2, 5]))
    assert torch.equal(one.classes, other.classes)


def test_resizing_invents_no_classes_and_keeps_photos_in_range() -> None:
    data = synthetic(2)
    assert set(resize_classes(data.classes, (47, 21)).unique().tolist()) <= set(
        data.classes.unique().tolist()
    )
    steps = torch.tensor([-1.0, 1.0]).repeat(8).expand(1, 3, 16, 16)
    resized = resize_photos(steps, (40, 40))
    assert resized.shape == (1, 3, 40, 40)
    assert resized.abs().max() <= 1


def test_your_own_maps_take_a_palette_from_the_recipe(tmp_path: Path) -> None:
    _write_pairs(tmp_path, lambda left: np.where(left[..., None], [200, 0, 0], [0, 0, 200]))
    lines: list[str] = []
    recipe = small_recipe(
        data={"type": "folders", "root": str(tmp_path)},
        segmenter={
            "epochs": 6,
            "labels": "target",
            "palette": {"left": [200, 0, 0], "right": [0, 0, 200]},
        },
    )
    segmenter = train_segmenter(recipe, lines.append)
    assert segmenter.labels.names == ("left", "right")
    assert segmenter.notes["validation"]["per_pixel"] > 0.9


def test_a_data_set_that_does_not_say_where_its_maps_are_is_asked(tmp_path: Path) -> None:
    _write_pairs(tmp_path, lambda left: np.where(left[..., None], [200, 0, 0], [0, 0, 200]))
    data = {"type": "folders", "root": str(tmp_path)}
    with pytest.raises(DataError, match=r"segmenter\.labels: .*set it to \"input\" or \"target\""):
        train_segmenter(small_recipe(data=data))
    with pytest.raises(DataError, match=r"give segmenter\.palette"):
        train_segmenter(small_recipe(data=data, segmenter={"labels": "input"}))


def test_what_cannot_be_trained_is_told_in_a_sentence() -> None:
    with pytest.raises(DataError, match=r"has 4 pairs, fewer than segmenter\.batch_size 8"):
        train_segmenter(small_recipe(data={"train": 4}))
    with pytest.raises(RecipeError, match="segmenter: unknown encoder 'resnet35'"):
        train_segmenter(small_recipe(segmenter={"encoder": "resnet35"}))
    with pytest.raises(TrainingError, match=r"lower segmenter\.lr"):
        train_segmenter(small_recipe(segmenter={"lr": 1e30}))


def test_a_data_set_without_validation_photos_is_trained_all_the_same() -> None:
    segmenter = train_segmenter(small_recipe(data={"val": 0}, segmenter={"epochs": 1}))
    assert segmenter.notes["validation"] is None


def _write_pairs(root: Path, colours: Callable[[Any], Any]) -> None:
    """Photos that are dark on the left of an edge, and maps that say so."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 16), ("val", 4)):
        (root / split).mkdir(parents=True)
        for i in range(count):
            left = np.arange(32)[None] < rng.integers(8, 24) + np.zeros((32, 1))
            photo = np.where(left, 60, 190)[..., None] + rng.integers(-40, 40, (32, 32, 3))
            both = np.concatenate([photo, colours(left)], axis=1).astype(np.uint8)
            Image.fromarray(both).save(root / split / f"{i}.png")
