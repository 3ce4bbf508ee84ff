"""seg-score: translated photos beside real ones, under the same network."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from i2i.datasets.decoded import decode
from i2i.datasets.synthetic import Synthetic
from i2i.errors import CheckpointError, DataError, WeightsError
from i2i.metrics.segmentation import SegScore
from i2i.segmentation.network import Segmenter, kept_at, load_segmenter, save_segmenter
from i2i.segmentation.palette import Labels
from tests.segmenters import trained


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(trained(tmp_path_factory.mktemp("segmenter"))[1])


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor]:
    """Label maps and photos."""
    array = torch.from_numpy(decode(Synthetic(test=8), "test", (32, 32)).array.copy())
    return array[:, :3], array[:, 3:]


def test_real_photos_as_outputs_have_ratio_one(small: str, pairs: tuple[Tensor, Tensor]) -> None:
    labels, photos = pairs
    metric = SegScore(segmenter=small)
    metric.update(photos, photos, labels)
    details = metric.details()
    assert metric.compute() == details["per_pixel"] == details["real_per_pixel"]
    assert details["class_iou"] == details["real_class_iou"]
    for name in ("per_pixel", "per_class", "class_iou"):
        assert details[f"ratio_{name}"] == 1


def test_noise_scores_far_below_real_photos(small: str, pairs: tuple[Tensor, Tensor]) -> None:
    labels, photos = pairs
    metric = SegScore(segmenter=small)
    source = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, photos.shape, generator=source, dtype=torch.uint8)
    metric.update(noise, photos, labels)
    details = metric.details()
    assert metric.compute() < 0.7 * details["real_per_pixel"]
    assert details["ratio_per_class"] < 0.7
    assert details["ratio_class_iou"] < 0.7


def test_two_halves_merged_are_exactly_the_whole(small: str, pairs: tuple[Tensor, Tensor]) -> None:
    labels, photos = pairs
    outputs = photos.flip(0)
    whole, one, other = (SegScore(segmenter=small) for _ in range(3))
    for metric, first in ((whole, 0), (whole, 4), (one, 0), (other, 4)):
        here = slice(first, first + 4)
        metric.update(outputs[here], photos[here], labels[here])
    one.merge(other)
    assert one.compute() == whole.compute()
    assert one.details() == whole.details()


def test_images_of_another_size_are_brought_to_the_networks(
    small: str, pairs: tuple[Tensor, Tensor]
) -> None:
    labels, photos = pairs
    same, larger = SegScore(segmenter=small), SegScore(segmenter=small)
    same.update(photos, photos, labels)
    doubled = [each.repeat_interleave(2, -1).repeat_interleave(2, -2) for each in (photos, labels)]
    larger.update(doubled[0], doubled[0], doubled[1])
    assert larger.compute() == pytest.approx(same.compute(), abs=0.03)


def test_sixteen_bits_score_as_eight_do(small: str, pairs: tuple[Tensor, Tensor]) -> None:
    labels, photos = pairs
    deep = [(each.int() * 257).to(torch.uint16) for each in (photos, labels)]
    one, other = SegScore(segmenter=small), SegScore(segmenter=small)
    one.update(photos, photos, labels)
    other.update(deep[0], deep[0], deep[1])
    assert other.compute() == pytest.approx(one.compute(), abs=1e-3)


def test_maps_of_one_channel_a_class_need_no_palette(tmp_path: Path) -> None:
    network = Segmenter(
        Labels.of(None, 4), (32, 32), channels=1, encoder="test_efficientnet", base_channels=4
    )
    save_segmenter(network, tmp_path / "gray.safetensors")
    metric = SegScore(segmenter=str(tmp_path / "gray.safetensors"))
    classes = torch.randint(0, 4, (2, 32, 32))
    maps = (torch.nn.functional.one_hot(classes, 4).permute(0, 3, 1, 2) * 255).to(torch.uint8)
    photos = torch.randint(0, 256, (2, 1, 32, 32), dtype=torch.uint8)
    metric.update(photos, photos, maps)
    assert 0 <= metric.compute() <= 1


def test_photos_as_inputs_are_refused(small: str, pairs: tuple[Tensor, Tensor]) -> None:
    labels, photos = pairs
    with pytest.raises(DataError, match="from label maps; the inputs: these are no label maps"):
        SegScore(segmenter=small).update(labels, labels, photos)


def test_gray_images_are_refused_by_a_network_of_colour(
    small: str, pairs: tuple[Tensor, Tensor]
) -> None:
    labels, photos = pairs
    with pytest.raises(DataError, match="images have 1 channels, but segmenter 'small'"):
        SegScore(segmenter=small).update(photos[:, :1], photos[:, :1], labels)
    with pytest.raises(DataError, match="label maps have 1 channels instead of the 3"):
        SegScore(segmenter=small).update(photos, photos, labels[:, :1])


def test_its_settings_say_which_network_measured(small: str) -> None:
    metric = SegScore(segmenter=small)
    settings = metric.settings()
    assert metric.label == "seg-score[test_efficientnet@32]"
    assert settings["segmenter"] == "small"
    assert len(settings["sha256"]) == 64
    assert settings["encoder"] == "test_efficientnet"
    assert settings["size"] == [32, 32]
    assert settings["trained_on"] == load_segmenter(Path(small)).notes["data"]
    assert "window" in settings["classes"]


def test_without_images_there_is_no_value(small: str) -> None:
    with pytest.raises(DataError, match="needs at least 1 image"):
        SegScore(segmenter=small).compute()


def test_a_missing_network_is_told_with_the_command_that_makes_it(small: str) -> None:
    with pytest.raises(WeightsError, match="i2i segmenter train DATASET --name facades"):
        SegScore()
    kept_at("facades").parent.mkdir(parents=True)
    kept_at("facades").write_bytes(Path(small).read_bytes())
    assert SegScore().settings()["segmenter"] == "facades"
    kept_at("facades").write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="can't be read as safetensors"):
        SegScore()
