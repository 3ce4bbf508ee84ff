"""l1, psnr and ssim: closed forms, and means over images however they are batched."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torchmetrics.image import StructuralSimilarityIndexMeasure

from i2i.metrics.pixel import L1, PSNR, SSIM


def images(seed: int, n: int = 5) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 24, 20), generator=source, dtype=torch.uint8)


def value(metric: Any, output: torch.Tensor, target: torch.Tensor, batch: int = 5) -> float:
    for first in range(0, len(output), batch):
        metric.update(output[first : first + batch], target[first : first + batch])
    result: float = metric.compute()
    return result


def test_l1_and_psnr_are_their_closed_forms() -> None:
    output, target = images(0), images(1)
    difference = (output.double() - target.double()).numpy() / 255
    assert value(L1(), output, target) == pytest.approx(np.abs(difference).mean(), rel=1e-6)
    per_image = -10 * np.log10((difference**2).mean(axis=(1, 2, 3)))
    assert value(PSNR(), output, target) == pytest.approx(per_image.mean(), rel=1e-5)


def test_ssim_is_torchmetrics_s_mean_over_images() -> None:
    output, target = images(0), images(1)
    peer = StructuralSimilarityIndexMeasure(data_range=1.0)
    expected = [
        float(peer(output[i : i + 1].float() / 255, target[i : i + 1].float() / 255))
        for i in range(5)
    ]
    assert value(SSIM(), output, target) == pytest.approx(np.mean(expected), abs=1e-5)


@pytest.mark.parametrize("metric", [L1, PSNR, SSIM])
def test_batches_change_nothing(metric: type) -> None:
    whole = value(metric(), images(0), images(1))
    for batch in (1, 2):
        assert value(metric(), images(0), images(1), batch) == pytest.approx(whole, rel=1e-5)


def test_equal_images_are_perfect() -> None:
    same = images(3)
    assert value(L1(), same, same) == 0
    assert value(SSIM(), same, same) == pytest.approx(1)
    assert value(PSNR(), same, same) == math.inf


def test_equal_pairs_are_left_out_of_psnr_and_counted() -> None:
    output, target = images(0), images(1)
    others = value(PSNR(), output[[0, 2, 3]], target[[0, 2, 3]])
    output[[1, 4]] = target[[1, 4]]
    metric = PSNR()
    assert value(metric, output, target, 2) == pytest.approx(others, rel=1e-6)
    assert metric.details() == {"pairs": 5, "equal_pairs": 2}
    drawn = torch.tensor([[0, 1, 1, 4, 4], [1, 4, 1, 4, 1], [0, 2, 3, 1, 4]])
    first, infinite, same = metric.bootstrap(drawn).tolist()
    assert first == pytest.approx(value(PSNR(), output[:1], target[:1]), rel=1e-6)
    assert infinite == math.inf
    assert same == pytest.approx(others, rel=1e-6)


def test_sixteen_bits_are_on_the_same_scale() -> None:
    output, target = images(0), images(1)
    deep = [(x.to(torch.int32) * 257).to(torch.uint16) for x in (output, target)]
    assert value(L1(), *deep) == pytest.approx(value(L1(), output, target), rel=1e-6)


def test_without_images_there_is_no_value() -> None:
    assert math.isnan(L1().compute())
