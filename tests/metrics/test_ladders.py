"""Worse images and fewer kinds of them measure worse, and two processes measure as one does."""

import multiprocessing
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from i2i.metrics.extractors import InceptionExtractor
from i2i.metrics.fid import FID, FIDInfinity
from i2i.metrics.kid import KID
from i2i.metrics.metric import Metric
from i2i.metrics.pixel import L1, PSNR
from i2i.metrics.set_metric import SetMetric

pytestmark = pytest.mark.xdist_group("ladders")

IMAGES = 20


@pytest.fixture(scope="module")
def reference(inception: Callable[..., InceptionExtractor], photos: Tensor) -> Tensor:
    """Features of the targets."""
    return inception("clean")(photos[48 : 48 + IMAGES])


@pytest.fixture(scope="module")
def clean(inception: Callable[..., InceptionExtractor], photos: Tensor) -> Tensor:
    """Features of other photos, unspoilt: each ladder's first rung."""
    return inception("clean")(photos[:IMAGES])


def blurred(photos: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(photos, [6 * int(sigma) + 1] * 2, [sigma] * 2)


def noisy(photos: Tensor, deviation: float) -> Tensor:
    source = torch.Generator().manual_seed(0)
    noise = deviation * torch.randn(photos.shape, generator=source)
    return (photos + noise).round().clamp(0, 255).to(torch.uint8)


def distance(metric: SetMetric[Any], outputs: Tensor, targets: Tensor) -> float:
    metric.outputs.update(outputs)
    metric.targets.update(targets)
    return metric.compute()


def assert_rise(rungs: Sequence[Tensor], targets: Tensor) -> None:
    """Every rung is farther from the targets than the one before, and KID is sure of the ends."""
    for metric in (FID, KID):
        values = [distance(metric(), outputs, targets) for outputs in rungs]
        assert all(low < high for low, high in pairwise(values)), (metric.__name__, values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoilt", "rungs"), [(blurred, (1, 2, 4)), (noisy, (8, 24, 64))], ids=["blur", "noise"]
)
def test_more_spoilt_photos_are_farther_away(
    spoilt: Callable[[Tensor, float], Tensor],
    rungs: tuple[float, ...],
    photos: Tensor,
    clean: Tensor,
    reference: Tensor,
    inception: Callable[..., InceptionExtractor],
) -> None:
    extractor = inception("clean")
    worse = [extractor(spoilt(photos[:IMAGES], strength)) for strength in rungs]
    assert_rise([clean, *worse], reference)


def test_fewer_different_photos_are_farther_away(clean: Tensor, reference: Tensor) -> None:
    rungs = [clean[:kinds].repeat(IMAGES // kinds, 1) for kinds in (20, 10, 5, 2, 1)]
    assert {len(rows) for rows in rungs} == {IMAGES}
    assert_rise(rungs, reference)


def test_dropped_modes_are_farther_away(photos: Tensor, clean: Tensor, reference: Tensor) -> None:
    # The darkest photos are dropped, more and more of them; those left are shown more often.
    brightness = photos[:IMAGES].float().mean((1, 2, 3))
    brightest = clean[brightness.argsort(descending=True)]
    rungs = [brightest[:kinds].repeat(IMAGES // kinds, 1) for kinds in (20, 10, 4, 2)]
    assert_rise(rungs, reference)


# --- two processes

UNEVEN = 41
FIRST = 21


def set_metrics() -> list[SetMetric[Any]]:
    return [FID(), KID(subsets=20), FIDInfinity(points=5)]


def pair_metrics() -> list[Metric]:
    return [L1(), PSNR()]


def gathered(features: Tensor, images: Tensor, start: int, stop: int) -> list[Metric]:
    """What one process gathers of its part: features of a set, and pairs of images."""
    sets, pairs = set_metrics(), pair_metrics()
    for first in range(start, stop, 4):
        part = slice(first, min(first + 4, stop))
        for metric in sets:
            metric.outputs.update(features[0, part])
            metric.targets.update(features[1, part])
        for pair in pairs:
            pair.update(images[0, part], images[1, part])
    return [*sets, *pairs]


def gather_part(given: Path, start: int, stop: int, taken: Path) -> None:
    """Gather a part in a process of its own, and hand over everything."""
    torch.set_num_threads(1)
    cases = torch.load(given)
    torch.save([gathered(*case, start, stop) for case in cases], taken)


@pytest.fixture(scope="module")
def cases() -> list[tuple[Tensor, Tensor]]:
    """Features of outputs and targets, more or fewer than dimensions, and pairs of images."""
    source = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, UNEVEN, 3, 24, 20), generator=source, dtype=torch.uint8)
    shift = torch.tensor([0.2, 0]).reshape(2, 1, 1)
    return [
        (torch.randn(2, UNEVEN, dimensions, generator=source) + shift, images)
        for dimensions in (16, 30, 2048)
    ]


@pytest.fixture(scope="module")
def parts(
    inception: object, cases: list[tuple[Tensor, Tensor]], tmp_path_factory: pytest.TempPathFactory
) -> list[list[list[Metric]]]:
    """What each of two processes gathered, the first of one image more than the second."""
    folder = tmp_path_factory.mktemp("processes")
    torch.save(cases, folder / "given.pt")
    context = multiprocessing.get_context("forkserver")
    ranges = [(0, FIRST), (FIRST, UNEVEN)]
    processes = [
        context.Process(target=gather_part, args=(folder / "given.pt", *part, folder / f"{i}.pt"))
        for i, part in enumerate(ranges)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    return [torch.load(folder / f"{i}.pt", weights_only=False) for i in range(2)]


def test_two_processes_with_unequal_parts_measure_as_one_does(
    cases: list[tuple[Tensor, Tensor]], parts: list[list[list[Metric]]]
) -> None:
    for case, firsts, seconds in zip(cases, *parts, strict=True):
        alone = gathered(*case, 0, UNEVEN)
        for merged, second, expected in zip(firsts, seconds, alone, strict=True):
            merged.merge(second)
            assert merged.compute() == pytest.approx(expected.compute(), rel=1e-9), type(merged)
            assert merged.details() == pytest.approx(expected.details(), rel=1e-9)
            assert merged.settings() == expected.settings()
