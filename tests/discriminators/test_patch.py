"""The discriminators against the paper's table and their measured receptive fields."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from i2i.discriminators.patch import HALVINGS, Image, Patch, Pixel

FIELDS = pytest.mark.parametrize("receptive_field", sorted(HALVINGS))


def convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


@pytest.mark.parametrize(
    ("discriminator", "expected"),
    [
        (Pixel(6), 9_025),
        (Patch(6, (256, 256), receptive_field=16), 139_585),
        (Patch(6, (256, 256)), 2_768_705),
        (Patch(6, (256, 256), receptive_field=286), 11_159_361),
        (Image(6, (256, 256)), 11_159_361),
    ],
    ids=["pixel", "16", "70", "286", "image"],
)
def test_parameters_are_as_many_as_in_the_paper(discriminator: nn.Module, expected: int) -> None:
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == expected


@pytest.mark.parametrize(
    ("receptive_field", "side"), [(16, 126), (34, 62), (70, 30), (142, 14), (286, 6)]
)
def test_output_maps_of_256_pixels_are_the_papers(receptive_field: Any, side: int) -> None:
    discriminator = Patch(6, (256, 256), receptive_field=receptive_field, base_channels=2)
    assert discriminator(torch.randn(1, 6, 256, 256)).shape == (1, 1, side, side)


def test_a_pixel_discriminator_gives_a_logit_for_every_pixel() -> None:
    assert Pixel(6, base_channels=2)(torch.randn(2, 6, 256, 256)).shape == (2, 1, 256, 256)


def test_an_image_discriminator_gives_a_map_of_6_by_6() -> None:
    assert Image(3, (256, 256), base_channels=2)(torch.randn(1, 3, 256, 256)).shape == (1, 1, 6, 6)


@pytest.mark.parametrize(
    ("receptive_field", "widths", "strides"),
    [
        (16, [64, 128, 1], [2, 1, 1]),
        (34, [64, 128, 256, 1], [2, 2, 1, 1]),
        (70, [64, 128, 256, 512, 1], [2, 2, 2, 1, 1]),
        (142, [64, 128, 256, 512, 512, 1], [2, 2, 2, 2, 1, 1]),
        (286, [64, 128, 256, 512, 512, 512, 1], [2, 2, 2, 2, 2, 1, 1]),
    ],
)
def test_layers_are_the_papers(receptive_field: Any, widths: list[int], strides: list[int]) -> None:
    discriminator = Patch(6, (256, 256), receptive_field=receptive_field)
    found = convolutions(discriminator)
    assert [c.in_channels for c in found] == [6, *widths[:-1]]
    assert [c.out_channels for c in found] == widths
    assert [c.stride for c in found] == [(stride, stride) for stride in strides]
    assert {(c.kernel_size, c.padding) for c in found} == {((4, 4), (1, 1))}
    has_bias = [c.bias is not None for c in found]
    assert has_bias == [True] + [False] * (len(widths) - 2) + [True]
    inner = ["Conv2d", "BatchNorm2d", "LeakyReLU"] * (len(widths) - 2)
    names = [type(layer).__name__ for layer in discriminator.layers]
    assert names == ["Conv2d", "LeakyReLU", *inner, "Conv2d"]
    slopes = [
        layer.negative_slope for layer in discriminator.layers if hasattr(layer, "negative_slope")
    ]
    assert set(slopes) == {0.2}


def test_the_pixel_discriminators_layers_are_the_papers() -> None:
    layers = list(Pixel(6).layers)
    assert [type(layer).__name__ for layer in layers] == [
        "Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU", "Conv2d",
    ]  # fmt: skip
    found = convolutions(Pixel(6))
    assert [(c.in_channels, c.out_channels) for c in found] == [(6, 64), (64, 128), (128, 1)]
    assert {(c.kernel_size, c.stride, c.padding) for c in found} == {((1, 1), (1, 1), (0, 0))}
    assert [c.bias is not None for c in found] == [True, False, True]


def seen_by_the_middle_logit(discriminator: nn.Module, side: int) -> tuple[int, int]:
    """Height and width of what one logit depends on, all weights being positive."""
    for parameter in discriminator.parameters():
        nn.init.constant_(parameter, 1.0)
    image = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    logits: Tensor = discriminator.double()(image)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert image.grad is not None
    seen = image.grad[0, 0] != 0
    assert not seen[0].any()  # the border cuts nothing off
    assert not seen[-1].any()
    height, width = int(seen.any(1).sum()), int(seen.any(0).sum())
    assert int(seen.sum()) == height * width
    return height, width


@FIELDS
def test_one_logit_depends_on_exactly_the_receptive_field(receptive_field: Any) -> None:
    side = 2 * receptive_field + 64
    discriminator = Patch(
        1, (side, side), receptive_field=receptive_field, base_channels=1, norm="none"
    )
    assert seen_by_the_middle_logit(discriminator, side) == (receptive_field, receptive_field)


def test_one_logit_of_the_image_discriminator_depends_on_286_pixels() -> None:
    discriminator = Image(1, (640, 640), base_channels=1, norm="none")
    assert seen_by_the_middle_logit(discriminator, 640) == (286, 286)


def test_one_logit_of_the_pixel_discriminator_depends_on_its_pixel() -> None:
    assert seen_by_the_middle_logit(Pixel(1, base_channels=1, norm="none"), 9) == (1, 1)


def test_all_weights_begin_as_the_paper_draws_them() -> None:
    torch.manual_seed(0)
    discriminator = Patch(6, (256, 256))
    for convolution in convolutions(discriminator):
        count = convolution.weight.numel()
        assert convolution.weight.mean().item() == pytest.approx(0, abs=0.1 / count**0.5)
        assert convolution.weight.std().item() == pytest.approx(0.02, rel=4 / count**0.5)
        assert convolution.bias is None or not convolution.bias.any()
    scales = torch.cat(
        [layer.weight for layer in discriminator.modules() if isinstance(layer, nn.BatchNorm2d)]
    )
    assert scales.mean().item() == pytest.approx(1, abs=3e-3)
    assert scales.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("kind", [Patch, Image, Pixel])
def test_gradients_reach_all_parameters_and_the_image(kind: Any, norm: Any) -> None:
    torch.manual_seed(0)
    sized = {} if kind is Pixel else {"image_size": (96, 128)}
    discriminator = kind(4, base_channels=2, norm=norm, **sized)
    image = torch.randn(2, 4, 96, 128, requires_grad=True)
    before = image.detach().clone()
    discriminator(image).square().sum().backward()
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
    assert image.grad is not None
    assert image.grad.any()
    assert torch.equal(image, before)


@settings(max_examples=30, deadline=None)
@given(
    receptive_field=st.sampled_from(sorted(HALVINGS)),
    above=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    norm=st.sampled_from(["batch", "instance", "none"]),
)
def test_any_size_from_the_smallest_on_trains_with_one_image(
    receptive_field: Any, above: tuple[int, int], norm: Any
) -> None:
    smallest = 3 * 2 ** HALVINGS[receptive_field]
    size = (smallest + above[0], smallest + above[1])
    discriminator = Patch(2, size, receptive_field=receptive_field, base_channels=1, norm=norm)
    logits = discriminator(torch.randn(1, 2, *size))
    halved = [side // 2 ** HALVINGS[receptive_field] - 2 for side in size]
    assert logits.shape == (1, 1, *halved)
    logits.sum().backward()


@pytest.mark.parametrize(
    ("receptive_field", "size", "advice"),
    [
        (286, (64, 64), r"at least 96x96, not 64x64: .*crop_size to 96 or .* = 142"),
        (70, (23, 256), r"at least 24x24, not 23x256: .*crop_size to \[24, 256\] or .* = 34"),
        (16, (5, 5), r'at least 6x6, not 5x5: .*crop_size to 6 or .* to "pixel"'),
    ],
)
def test_an_image_too_small_is_refused_with_the_smallest_size(
    receptive_field: Any, size: tuple[int, int], advice: str
) -> None:
    with pytest.raises(ValueError, match=advice):
        Patch(6, size, receptive_field=receptive_field)


def test_an_image_too_small_for_the_image_discriminator_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 96x96, not 95x95"):
        Image(6, (95, 95))


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("kind", ["pixel", "16", "70"])
def test_several_batches_are_judged_in_one_pass_as_each_alone(kind: str, norm: Any) -> None:
    torch.manual_seed(0)
    discriminator = (
        Pixel(3, base_channels=4, norm=norm)
        if kind == "pixel"
        else Patch(3, (32, 32), receptive_field=int(kind), base_channels=4, norm=norm)  # type: ignore[arg-type]
    )
    twin = copy.deepcopy(discriminator)
    batches = torch.rand(2, 3, 3, 32, 32) * torch.tensor([1.0, 5.0]).view(2, 1, 1, 1, 1)
    together = discriminator.judge(*batches)
    alone = [twin(batch) for batch in batches]
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(ours, theirs)
    # The running statistics saw the batches in their order.
    for (name, ours), theirs in zip(discriminator.named_buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)
