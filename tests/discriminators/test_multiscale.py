"""Discriminators of several scales against pix2pixHD's, written out here with torch's functions."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.discriminators.multiscale import Multiscale
from i2i.testing import ConformanceError, check_discriminator


@pytest.mark.parametrize(("scales", "expected"), [(1, 2_801_601), (2, 5_603_202), (3, 8_404_803)])
def test_parameters_are_as_many_as_pix2pixhds(scales: int, expected: int) -> None:
    with torch.device("meta"):
        network = Multiscale(39, (512, 512), scales=scales)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def by_hand(parameters: dict[str, Tensor], image: Tensor) -> list[list[Tensor]]:
    """Two scales with three convolutions of stride 2, one of stride 1, and one to the logits."""
    judged = []
    for scale in range(2):
        if scale:
            ones = F.avg_pool2d(torch.ones_like(image), 3, 2, 1)  # without the padding's zeros
            image = F.avg_pool2d(image, 3, 2, 1) / ones
        own = [parameters[name] for name in parameters if name.startswith(f"networks.{scale}.")]
        maps, results = image, []
        for i, (weight, bias) in enumerate(zip(own[::2], own[1::2], strict=True)):
            maps = F.conv2d(maps, weight, bias, stride=2 if i < 3 else 1, padding=2)
            if i in (1, 2, 3):
                mean, variance = maps.mean((2, 3), True), maps.var((2, 3), False, True)
                maps = (maps - mean) / (variance + 1e-5).sqrt()
            if i < 4:
                maps = torch.where(maps < 0, 0.2 * maps, maps)
            results.append(maps)
        judged.append(results)
    return judged


def test_features_and_logits_are_those_written_out_by_hand() -> None:
    torch.manual_seed(0)
    network = Multiscale(5, (49, 50), base_channels=3)
    image = torch.randn(2, 5, 49, 50)
    before = image.clone()
    found = network(image)
    expected = by_hand(dict(network.named_parameters()), before)
    assert [len(own) for own in found] == [5, 5]
    assert torch.equal(image, before)
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(one, other)


def test_every_scale_has_weights_of_its_own() -> None:
    one, other = Multiscale(3, (64, 64), base_channels=2).networks
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


@pytest.mark.parametrize("norm", ["batch", "plain_instance"])
def test_several_batches_are_judged_in_one_pass_as_each_alone(norm: Any) -> None:
    torch.manual_seed(0)
    network = Multiscale(3, (32, 32), receptive_field=34, base_channels=2, norm=norm)
    twin = copy.deepcopy(network)
    batches = torch.rand(2, 3, 3, 32, 32) * torch.tensor([1.0, 5.0]).view(2, 1, 1, 1, 1)
    for ours, batch in zip(network.judge(*batches), batches, strict=True):
        for one, other in zip(ours, twin(batch), strict=True):
            for ours_, theirs in zip(one, other, strict=True):
                torch.testing.assert_close(ours_, theirs)


@pytest.mark.parametrize(
    ("scales", "size", "advice"),
    [
        (2, (46, 64), r"scale 2 of 2 judges 23x32 .* at least 24x24: .*crop_size to \[48, 64\],"),
        (3, (64, 64), r"scale 3 of 3 judges 16x16 .* of 64x64, .*crop_size to 96, or .*scales"),
    ],
)
def test_a_scale_too_small_is_refused_with_what_helps(
    scales: int, size: tuple[int, int], advice: str
) -> None:
    with pytest.raises(ValueError, match=advice):
        Multiscale(3, size, scales=scales)


def test_the_smallest_size_trains() -> None:
    network = Multiscale(3, (47, 47), base_channels=2)
    sum(own[-1].sum() for own in network(torch.randn(1, 3, 47, 47))).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


class Judging(nn.Module):
    """A discriminator whose result is made of its logits by a subclass."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(in_channels, 1, 3)

    def forward(self, image: Tensor) -> Any:
        return self.result(self.layer(image))

    def result(self, logits: Tensor) -> Any:
        return [logits, logits]


class Nothing(Judging):
    def result(self, logits: Tensor) -> Any:
        return []


class Named(Judging):
    def result(self, logits: Tensor) -> Any:
        return {"logits": logits}


class OneImage(Judging):
    def result(self, logits: Tensor) -> Any:
        return [[logits[:1], logits]]


def test_the_kit_takes_scales_and_features() -> None:
    assert check_discriminator(Judging)[0].startswith("judging several batches")
    assert check_discriminator("multiscale") == []


@pytest.mark.parametrize(
    ("component", "sentence"),
    [
        (Nothing, "returns list: forward.. must return a tensor of logits, or a list"),
        (Named, "returns dict: forward.. must return"),
        (OneImage, "the first dimension must be the batch"),
    ],
)
def test_the_kit_tells_what_is_no_judgement(component: type, sentence: str) -> None:
    with pytest.raises(ConformanceError, match=sentence):
        check_discriminator(component)
