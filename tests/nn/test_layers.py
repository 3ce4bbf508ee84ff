"""What networks share: norms by name, biases, the paper's init."""

from typing import get_args

import pytest
import torch
from torch import nn

from i2i.images.sizes import crop_size_text, next_multiple
from i2i.nn.layers import Norm, init_weights, needs_bias, norm_layers


@pytest.mark.parametrize("norm", get_args(Norm))
def test_a_convolution_needs_a_bias_unless_its_norm_has_one(norm: Norm) -> None:
    biased = any(name == "bias" for x in norm_layers(norm, 4) for name, _ in x.named_parameters())
    assert needs_bias(norm) == (not biased)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_every_norm_has_a_learned_scale_and_bias(norm: Norm) -> None:
    (layer,) = norm_layers(norm, 5)
    assert {name: p.shape for name, p in layer.named_parameters()} == {
        "weight": (5,),
        "bias": (5,),
    }


def test_instance_norm_normalises_each_image_on_its_own() -> None:
    (layer,) = norm_layers("instance", 3)
    images = torch.randn(2, 3, 8, 8) * torch.tensor([1.0, 9.0]).view(2, 1, 1, 1) + 4
    means = layer(images).mean(dim=(2, 3))
    torch.testing.assert_close(means, torch.zeros(2, 3), atol=1e-5, rtol=0)


def test_an_unknown_norm_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='"batch", "instance", "plain_instance", "none"'):
        norm_layers("layer", 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(128, 256, 4), nn.ConvTranspose2d(256, 128, 4)], ids=["conv", "transposed"]
)
def test_convolutions_begin_at_0_with_deviation_0_02_and_bias_0(layer: nn.Module) -> None:
    torch.manual_seed(0)
    init_weights(layer)
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, nn.Parameter)
    assert isinstance(bias, nn.Parameter)
    assert abs(weight.mean().item()) < 1e-4  # 524,288 weights: 3.6 standard errors
    assert weight.std().item() == pytest.approx(0.02, rel=4e-3)
    kurtosis = (weight / weight.std()).pow(4).mean().item()
    assert kurtosis == pytest.approx(3.0, abs=0.05)  # normal, where uniform has 1.8
    assert not bias.any()


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_norm_scales_begin_around_1_with_deviation_0_02_and_bias_0(norm: Norm) -> None:
    torch.manual_seed(0)
    (layer,) = norm_layers(norm, 100_000)
    init_weights(layer)
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, nn.Parameter)
    assert isinstance(bias, nn.Parameter)
    assert weight.mean().item() == pytest.approx(1.0, abs=2.5e-4)
    assert weight.std().item() == pytest.approx(0.02, rel=1e-2)
    assert not bias.any()


def test_the_init_reaches_nested_layers_and_leaves_others_alone() -> None:
    linear = nn.Linear(3, 3)
    before = linear.weight.clone()
    conv = nn.Conv2d(3, 3, 3)
    init_weights(nn.Sequential(nn.Sequential(conv, nn.BatchNorm2d(3, affine=False)), linear))
    assert conv.bias is not None
    assert not conv.bias.any()
    assert torch.equal(linear.weight, before)


@pytest.mark.parametrize(
    ("size", "factor", "expected"),
    [((256, 256), 256, (256, 256)), ((100, 300), 64, (128, 320)), ((0, 1), 8, (8, 8))],
)
def test_the_next_multiple_rounds_both_sides_up(
    size: tuple[int, int], factor: int, expected: tuple[int, int]
) -> None:
    assert next_multiple(size, factor) == expected


def test_a_crop_size_reads_as_a_recipe_says_it() -> None:
    assert crop_size_text((256, 256)) == "256"
    assert crop_size_text((256, 512)) == "[256, 512]"
