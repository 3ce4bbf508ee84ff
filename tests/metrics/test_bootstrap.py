"""Values on bootstrap samples are what a metric says of just these images."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from i2i.datasets.decoded import decode
from i2i.datasets.synthetic import Synthetic
from i2i.metrics.bootstrap import bootstrap_details, bootstrap_indices
from i2i.metrics.colour import LabHistogram
from i2i.metrics.fid import FD, FID, FIDInfinity
from i2i.metrics.frechet import Moments, bootstrap_distances, frechet_distance
from i2i.metrics.kernel import bootstrap_mmd, polynomial_mmd, subset_mmd
from i2i.metrics.kid import KD, KID
from i2i.metrics.metric import Metric
from i2i.metrics.perceptual import LPIPS
from i2i.metrics.pixel import L1, L2, MSSSIM, PSNR, SSIM
from i2i.metrics.segmentation import SegScore
from tests.segmenters import trained


def images(seed: int, n: int = 6, side: int = 16) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, side, side), generator=source, dtype=torch.uint8)


def features(seed: int, n: int = 12, d: int = 40) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def distance(one: Tensor, other: Tensor) -> float:
    gathered = []
    for rows in (one, other):
        moments = Moments()
        moments.update(rows)
        gathered.append(moments.gaussian())
    return frechet_distance(*gathered)


def test_bootstrap_samples_are_the_same_wherever_and_fewer_are_the_first_of_more() -> None:
    drawn = bootstrap_indices(106, 50)
    assert torch.equal(drawn[:10], bootstrap_indices(106, 10))
    assert drawn.shape == (50, 106)
    assert (drawn.min(), drawn.max()) == (0, 105)
    # As long as these stay, values of runs that were measured in other years are paired.
    assert bootstrap_indices(5, 3).tolist() == [[3, 4, 3, 4, 0], [0, 3, 0, 2, 0], [2, 1, 4, 0, 1]]
    assert 0.60 < np.mean([len(row.unique()) / 106 for row in drawn]) < 0.67, "1 - 1/e of them"


def test_drawing_leaves_everybody_else_s_random_numbers_alone() -> None:
    np.random.seed(0)
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    bootstrap_indices(10, 10)
    assert np.array_equal(np.random.get_state()[1], before)
    assert torch.equal(torch.get_rng_state(), torch_before)


# --- metrics of pairs


def agrees(metric: Callable[[], Metric], *seen: Tensor, rel: float = 1e-6) -> None:
    """A metric says of a bootstrap sample what another one says that is shown just its images."""
    n = len(seen[0])
    whole, drawn = metric(), torch.cat([bootstrap_indices(n, 5), torch.arange(n)[None]])
    for first in range(0, n, 4):  # in batches, so that their order counts
        whole.update(*(batch[first : first + 4] for batch in seen))
    found = whole.bootstrap(drawn)
    assert found is not None
    for value, rows in zip(found.tolist(), drawn, strict=True):
        alone = metric()
        alone.update(*(batch[rows] for batch in seen))
        assert value == pytest.approx(alone.compute(), rel=rel)


@pytest.mark.parametrize("metric", [L1, L2, PSNR, SSIM, LabHistogram])
def test_a_metric_of_pairs_says_of_a_bootstrap_sample_what_it_says_of_its_images(
    metric: Callable[[], Metric],
) -> None:
    agrees(metric, images(0), images(1) // 2)


def test_so_does_ms_ssim() -> None:
    agrees(MSSSIM, images(0, 3, 176), images(1, 3, 176), rel=1e-4)


def test_so_does_lpips(weights: object) -> None:
    agrees(LPIPS, images(0, side=64), images(1, side=64), rel=1e-4)


def test_so_does_seg_score(tmp_path_factory: pytest.TempPathFactory) -> None:
    segmenter = str(trained(tmp_path_factory.mktemp("segmenter"))[1])
    pairs = torch.from_numpy(decode(Synthetic(test=8), "test", (32, 32)).array.copy())
    labels, photos = pairs[:, :3], pairs[:, 3:]
    agrees(lambda: SegScore(segmenter=segmenter), photos.flip(0), photos, labels, rel=1e-3)


@pytest.mark.parametrize("metric", [L1, PSNR, LabHistogram])
def test_merged_parts_have_the_whole_s_bootstrap_samples(metric: Callable[[], Any]) -> None:
    output, target, drawn = images(0), images(1), bootstrap_indices(6, 10)
    whole, one, other = metric(), metric(), metric()
    for part, here in ((whole, slice(6)), (one, slice(2)), (other, slice(2, 6))):
        part.update(output[here], target[here])
    one.merge(other)
    assert torch.equal(one.bootstrap(drawn), whole.bootstrap(drawn))


def test_infinite_values_stay_infinite() -> None:
    metric = PSNR()
    metric.update(images(0), images(0))
    assert metric.bootstrap(bootstrap_indices(6, 10)).tolist() == [math.inf] * 10


# --- metrics of sets


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_distances_of_bootstrap_samples_are_those_of_the_drawn_rows(seed: int) -> None:
    one, other, drawn = features(seed), 2 * features(seed + 1) + 0.3, bootstrap_indices(12, 4)
    for value, rows in zip(bootstrap_distances(one, other, drawn), drawn, strict=True):
        assert value.item() == pytest.approx(distance(one[rows], other[rows]), rel=1e-6)


@pytest.mark.parametrize(("n", "d"), [(2, 8), (12, 8), (30, 512)])
def test_they_are_so_with_more_and_fewer_rows_than_dimensions(n: int, d: int) -> None:
    one, other, drawn = features(0, n, d), 1.3 * features(1, n, d) + 0.2, bootstrap_indices(n, 20)
    expected = [distance(one[rows], other[rows]) for rows in drawn]
    found = bootstrap_distances(one, other, drawn).tolist()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert bootstrap_distances(one, one, drawn).max() < 1e-6


def test_kernel_distances_of_bootstrap_samples_are_over_pairs_of_different_images() -> None:
    one, other, drawn = features(0, 9, 4), 0.8 * features(1, 9, 4) + 0.4, bootstrap_indices(9, 12)

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x.double() @ y.double() / 4 + 1) ** 3)

    def mean(first: Tensor, second: Tensor, rows: list[int]) -> float:
        pairs = [kernel(first[i], second[j]) for i in rows for j in rows if i != j]
        return sum(pairs) / len(pairs)

    for value, row in zip(bootstrap_mmd(one, other, drawn).tolist(), drawn.tolist(), strict=True):
        partners = sum(kernel(one[i], other[i]) for i in row) / 9
        across = partners / 9 + mean(one, other, row) * 8 / 9
        expected = mean(one, one, row) + mean(other, other, row) - 2 * across
        assert value == pytest.approx(expected, rel=1e-6)


def test_kernel_distances_of_bootstrap_samples_lie_around_what_subsets_estimate() -> None:
    # Outputs resemble their own targets, as translations do.
    one = features(0, 60, 16)
    other = 0.9 * one + 0.5 * features(1, 60, 16) + 0.1
    drawn, truth = bootstrap_indices(60, 4000), polynomial_mmd(one, other)
    values = bootstrap_mmd(one, other, drawn)
    error = values.std().item() / len(values) ** 0.5
    assert abs(values.mean().item() - truth) < 5 * error
    estimate = subset_mmd(one, other, subsets=1000, size=30, seed=0)
    assert abs(estimate.mean - truth) < 5 * estimate.standard_error
    # Copies that meet themselves would have been far off.
    naive = [polynomial_mmd(one[rows], other[rows]) for rows in drawn[:300]]
    assert abs(np.mean(naive) - truth) > 5 * np.std(naive) / len(naive) ** 0.5


def test_all_rows_once_are_the_plain_kernel_distance() -> None:
    one, other = features(0), 1.5 * features(1)
    once = torch.randperm(12)[None]
    assert bootstrap_mmd(one, other, once).item() == pytest.approx(polynomial_mmd(one, other))


def test_copies_within_a_bootstrap_sample_don_t_bias_the_kernel_distance() -> None:
    """Sets of one distribution are 0 apart on average, drawn with copies as well."""
    drawn = bootstrap_indices(12, 20)
    means = [bootstrap_mmd(features(i), features(1000 + i), drawn).mean() for i in range(300)]
    spread = torch.stack(means).std() / len(means) ** 0.5
    assert abs(torch.stack(means).mean()) < 4 * spread


def test_a_bootstrap_sample_of_one_image_has_no_kernel_distance_and_is_left_out() -> None:
    values = bootstrap_mmd(features(0), features(1), torch.tensor([[3] * 12, list(range(12))]))
    assert values.isnan().tolist() == [True, False]
    assert bootstrap_details(values)["interval"] == pytest.approx([values[1].item()] * 2, rel=1e-6)


def shown(metric: Any, outputs: Tensor, targets: Tensor) -> Any:
    """The metric, shown features instead of images."""
    metric.outputs.update(outputs)
    metric.targets.update(targets)
    return metric


@pytest.mark.usefixtures("inception")
def test_fid_and_kid_are_bootstrapped_as_their_features_are_however_merged() -> None:
    outputs, targets, drawn = features(0, 12, 16), features(1, 12, 16), bootstrap_indices(12, 9)
    for metric, expected in ((FID, bootstrap_distances), (KID, bootstrap_mmd)):
        one, other = (
            shown(metric(), outputs[part], targets[part]) for part in (slice(5), slice(5, 12))
        )
        one.merge(other)
        assert torch.equal(one.bootstrap(drawn), expected(outputs, targets, drawn))


@pytest.mark.parametrize("metric", [FD, KD])
def test_other_backbones_are_bootstrapped_too(metric: Any, weights: object) -> None:
    measure = shown(metric(), features(0), features(1))
    assert measure.bootstrap(bootstrap_indices(12, 9)).shape == (9,)


@pytest.mark.usefixtures("inception")
def test_what_can_t_be_bootstrapped_says_so() -> None:
    rows, drawn = features(0, 20, 16), bootstrap_indices(20, 3)
    assert shown(FIDInfinity(), rows, rows + 1).bootstrap(drawn) is None
    assert shown(FID(), rows, rows + 1).bootstrap(drawn) is None, "features are no longer kept"
    for metric in (FID, KID):
        assert (
            shown(metric(), features(0, 9), features(1, 12)).bootstrap(bootstrap_indices(9, 3))
            is None
        )


def test_the_interval_is_the_percentiles() -> None:
    found = bootstrap_details(torch.arange(1001, dtype=torch.float64))
    assert found["interval"] == [25, 975]
    assert found["bootstrap"][:3] == [0, 1, 2]
