"""fid, fid_inf and kid: what they take, what they refuse, and what they say besides a number."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.metrics.fid import FD, FID, FIDInfinity
from i2i.metrics.kernel import subset_mmd
from i2i.metrics.kid import KD, KID
from i2i.metrics.set_metric import SetMetric

pytestmark = pytest.mark.usefixtures("inception")

SETS = [FID, FIDInfinity, KID]


def normal(seed: int, *shape: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=source)


def fed(metric: SetMetric[Any], outputs: Tensor, targets: Tensor, batch: int = 64) -> Any:
    """The metric, shown features instead of images."""
    for rows in outputs.split(batch):
        metric.outputs.update(rows)
    for rows in targets.split(batch):
        metric.targets.update(rows)
    return metric


@pytest.fixture
def features() -> tuple[Tensor, Tensor]:
    return normal(0, 41, 16), normal(1, 60, 16) + 0.3


@pytest.fixture(scope="module")
def few(photos: Tensor) -> tuple[Tensor, Tensor]:
    """Three outputs and four targets, as small as photos get."""
    small = photos[:7, :, ::4, ::4].contiguous()
    return small[:3], small[3:]


# --- what is refused


@pytest.mark.parametrize("metric", [FID, KID, FD, KD])
@pytest.mark.parametrize(("outputs", "targets"), [(1, 5), (5, 1), (0, 5), (1, 1)])
def test_fewer_than_two_images_are_refused_with_how_many_are_needed(
    metric: type[SetMetric[Any]], outputs: int, targets: int, weights: object
) -> None:
    measure = fed(metric(), normal(0, outputs, 16), normal(1, targets, 16))
    with pytest.raises(DataError) as caught:
        measure.compute()
    counts = {"outputs": outputs, "targets": targets}
    expected = {role: n for role, n in counts.items() if n < 2}
    assert len(caught.value.problems) == len(expected)
    for problem, (role, n) in zip(caught.value.problems, expected.items(), strict=True):
        assert str(measure.label) in problem
        assert f"at least 2 {role}" in problem
        assert problem.endswith(f"{'is' if n == 1 else 'are'} {n}")


def test_subsets_larger_than_a_set_are_refused_with_how_many_images_are_needed(
    features: tuple[Tensor, Tensor],
) -> None:
    measure = fed(KID(subset_size=50), *features)
    with pytest.raises(DataError, match="at least 50 outputs, there are 41") as caught:
        measure.compute()
    assert len(caught.value.problems) == 1
    assert fed(KID(subset_size=41), *features).compute() > 0


def test_fid_inf_needs_twenty_images(features: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(DataError, match="at least 20 outputs, there are 19"):
        fed(FIDInfinity(), features[0][:19], features[1]).compute()
    assert np.isfinite(fed(FIDInfinity(), features[0][:20], features[1]).compute())


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("metric", SETS)
def test_images_that_are_neither_gray_nor_rgb_are_refused(
    metric: type[SetMetric[Any]], channels: int
) -> None:
    images = torch.zeros(2, channels, 32, 32, dtype=torch.uint8)
    with pytest.raises(DataError, match=f"{channels} channels"):
        metric().update(images, images)


# --- what images become


@pytest.mark.parametrize("side", [64, 299])
@pytest.mark.parametrize("preset", ["clean", "tf1", "pytorch-fid"])
def test_gray_is_the_same_as_three_equal_channels(
    preset: str, side: int, photos: Tensor, inception: Callable[..., Any]
) -> None:
    gray = photos[:1, :1].repeat(1, 1, 2, 2)[..., :side, :side]
    extractor = inception(preset)
    assert torch.equal(extractor(gray), extractor(gray.repeat(1, 3, 1, 1)))


def test_sixteen_bits_are_the_same_as_the_eight_they_round_to(
    few: tuple[Tensor, Tensor], inception: Callable[..., Any]
) -> None:
    extractor, images = inception("clean"), few[0]
    deep = images.int() * 257
    expected = extractor(images)
    for off in (0, 100, -100):
        near = (deep + off).clamp(0, 65535).to(torch.uint16)
        assert torch.equal(extractor(near), expected)


def test_images_are_left_as_they_were(
    few: tuple[Tensor, Tensor], inception: Callable[..., Any]
) -> None:
    for images in (few[0][:1].clone(), (few[0][:1].int() * 257).to(torch.uint16)):
        before = images.clone()
        for preset in ("clean", "tf1", "pytorch-fid"):
            inception(preset)(images)
            assert torch.equal(images, before)


def test_features_do_not_depend_on_the_batch(
    few: tuple[Tensor, Tensor], inception: Callable[..., Any]
) -> None:
    images = torch.cat(few)
    alone = torch.cat([inception("clean")(image[None]) for image in images])
    torch.testing.assert_close(inception("clean")(images), alone, rtol=0, atol=2e-5)


def test_images_and_their_features_give_the_same_value(
    few: tuple[Tensor, Tensor], inception: Callable[..., Any]
) -> None:
    shown = FID()
    shown.update(few[0][:2], few[1][:2])
    shown.update(few[0][2:], few[1][2:])
    extracted = fed(FID(), inception("clean")(few[0]), inception("clean")(few[1]))
    assert shown.compute() == pytest.approx(extracted.compute(), rel=1e-4)
    assert shown.details() == {"outputs": 3, "targets": 4}


@pytest.mark.parametrize("preset", ["clean", "tf1", "pytorch-fid"])
def test_a_set_is_at_no_distance_from_itself(
    preset: str, few: tuple[Tensor, Tensor], inception: Callable[..., Any]
) -> None:
    features = inception(preset)(few[1])
    assert 0 <= fed(FID(preset=preset), features, features).compute() <= 1e-6


# --- labels and settings


@pytest.mark.parametrize("preset", ["clean", "tf1", "pytorch-fid"])
@pytest.mark.parametrize(
    ("metric", "family"), [(FID, "fid"), (FIDInfinity, "fid_inf"), (KID, "kid")]
)
def test_every_label_carries_its_preset_and_every_setting_its_weights(
    metric: Any, family: str, preset: str
) -> None:
    measure = metric(preset=preset)
    assert measure.label == f"{family}[{preset}]"
    assert not measure.higher_is_better
    settings = measure.settings()
    assert settings["preset"] == preset
    assert len(settings["weights_sha256"]) == 64
    assert {"resize", "dtype", "network"} <= settings.keys()


def test_the_default_preset_is_clean() -> None:
    assert FID().label == "fid[clean]"
    assert KID().label == "kid[clean]"


@pytest.mark.parametrize(("metric", "family"), [(FD, "fd"), (KD, "kd")])
def test_other_backbones_never_call_themselves_fid(
    metric: Any, family: str, weights: object
) -> None:
    label = metric().label
    assert label == f"{family}[timm:tf_efficientnet_lite0.in1k]"
    assert "fid" not in label


def test_settings_of_two_presets_differ_and_of_one_are_equal() -> None:
    assert FID(preset="clean").settings() == FID().settings()
    assert FID(preset="tf1").settings() != FID(preset="pytorch-fid").settings()
    assert KID(seed=1).settings() != KID(seed=2).settings()
    assert KID(subsets=10).settings() != KID(subsets=20).settings()


# --- kid


@pytest.mark.parametrize(
    ("outputs", "targets", "size"),
    [(41, 60, 20), (60, 41, 20), (2, 9, 2), (3, 3, 2), (2400, 2200, 1000), (1999, 9000, 999)],
)
def test_kid_draws_half_of_the_smaller_set_up_to_a_thousand(
    outputs: int, targets: int, size: int
) -> None:
    one, other = normal(2, outputs, 4), normal(3, targets, 4)
    measure = fed(KID(subsets=3, seed=5), one, other)
    value = measure.compute()
    assert measure.settings()["subset_size"] == size
    expected = subset_mmd(one, other, subsets=3, size=size, seed=5)
    assert value == expected.mean
    assert measure.details()["standard_error"] == expected.standard_error


def test_kid_says_how_sure_it_is_and_how_it_drew(features: tuple[Tensor, Tensor]) -> None:
    measure = fed(KID(subsets=50, subset_size=12), *features)
    measure.compute()
    details = measure.details()
    assert details["outputs"] == 41
    assert details["targets"] == 60
    assert details["standard_error"] == pytest.approx(details["standard_deviation"] / 49**0.5)
    expected = {"subsets": 50, "subset_size": 12, "seed": 2020}
    assert expected.items() <= measure.settings().items()


def test_kid_is_decided_by_its_seed(features: tuple[Tensor, Tensor]) -> None:
    first, again, other = (fed(KID(seed=seed), *features).compute() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_computing_twice_and_in_between_changes_nothing(features: tuple[Tensor, Tensor]) -> None:
    outputs, targets = features
    for metric in SETS:
        expected = fed(metric(), *features).compute()
        measure = fed(metric(), outputs[:30], targets[:30])
        measure.compute()
        fed(measure, outputs[30:], targets[30:])
        assert measure.compute() == pytest.approx(expected, rel=1e-9)
        assert measure.compute() == pytest.approx(expected, rel=1e-9)


# --- fid_inf


def test_fid_inf_is_decided_by_its_seed(features: tuple[Tensor, Tensor]) -> None:
    first, again, other = (fed(FIDInfinity(seed=s), *features).compute() for s in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_fid_inf_comes_closer_to_the_truth_than_fid(shift: float) -> None:
    d = 32
    outputs, targets = normal(4, 600, d), normal(5, 40_000, d) + shift
    truth = d * shift**2
    biased = fed(FID(), outputs, targets).compute()
    extrapolated = fed(FIDInfinity(), outputs, targets).compute()
    assert biased > truth
    assert abs(extrapolated - truth) < 0.5 * abs(biased - truth)


def test_fid_inf_is_the_line_through_fids_of_parts(features: tuple[Tensor, Tensor]) -> None:
    # With two points, half of the outputs and all, the line is known whatever half was drawn.
    outputs, targets = features[0][:40], features[1]
    value = fed(FIDInfinity(points=2, seed=9), outputs, targets).compute()
    half = np.random.RandomState(9).permutation(40)[:20]
    low, high = (
        fed(FID(), part, targets).compute() for part in (outputs, outputs[torch.from_numpy(half)])
    )
    assert value == pytest.approx(2 * low - high, rel=1e-9)
    assert low < high


def test_fid_inf_says_how_it_drew() -> None:
    expected = {"points": 7, "seed": 3}
    assert expected.items() <= FIDInfinity(points=7, seed=3).settings().items()


# --- merging


@pytest.mark.parametrize("metric", SETS)
@pytest.mark.parametrize("cut", [0, 1, 7, 20, 40, 41])
def test_merged_parts_are_the_whole(
    metric: type[SetMetric[Any]], cut: int, features: tuple[Tensor, Tensor]
) -> None:
    outputs, targets = features
    whole = fed(metric(), outputs, targets).compute()
    first, second = (
        fed(metric(), outputs[a:b], targets[c:d])
        for (a, b), (c, d) in zip(pairwise((0, cut, 41)), pairwise((0, 60 - cut, 60)), strict=True)
    )
    first.merge(second)
    assert first.compute() == pytest.approx(whole, rel=1e-9)
    assert first.details()["outputs"] == 41
    assert first.details()["targets"] == 60


@pytest.mark.parametrize("metric", SETS)
def test_what_is_merged_in_stays_as_it_was(
    metric: type[SetMetric[Any]], features: tuple[Tensor, Tensor]
) -> None:
    part = fed(metric(), *features)
    before = part.compute()
    whole = metric()
    whole.merge(part)
    fed(whole, features[0] + 1, features[1])
    assert part.compute() == before
    assert part.outputs.n == 41
