"""U-Net and encoder-decoder against the tables of the paper and an independent computation."""

import warnings
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from i2i.generators.unet import EncoderDecoder, UNet

Generator = type[UNet] | type[EncoderDecoder]
BOTH = pytest.mark.parametrize("kind", [UNet, EncoderDecoder])
SIZE_256 = (256, 256)


@pytest.fixture(scope="module", params=[UNet, EncoderDecoder])
def full(request: pytest.FixtureRequest) -> UNet | EncoderDecoder:
    """The paper's network at full width."""
    torch.manual_seed(0)
    generator: UNet | EncoderDecoder = request.param(3, 3, SIZE_256)
    return generator


def only(block: nn.Module, *kinds: type[nn.Module]) -> Any:
    """The one layer of a kind in a block, or None."""
    found = [layer for layer in block.modules() if isinstance(layer, kinds)]
    assert len(found) <= 1
    return found[0] if found else None


def test_parameters_are_as_many_as_in_the_paper(full: nn.Module) -> None:
    expected = 54_413_955 if isinstance(full, UNet) else 39_075_459
    assert sum(parameter.numel() for parameter in full.parameters()) == expected


def test_encoder_convolutions_are_the_papers(full: UNet | EncoderDecoder) -> None:
    widths = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    convolutions = [only(block, nn.Conv2d) for block in full.encoder]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == list(pairwise(widths))
    for convolution in convolutions:
        assert (convolution.kernel_size, convolution.stride) == ((4, 4), (2, 2))
        assert convolution.padding == (1, 1)
        assert convolution.bias is None


def test_decoder_convolutions_are_the_papers(full: UNet | EncoderDecoder) -> None:
    inputs = (
        [512, 1024, 1024, 1024, 1024, 512, 256, 128]
        if isinstance(full, UNet)
        else [512, 512, 512, 512, 512, 256, 128, 64]
    )
    outputs = [512, 512, 512, 512, 256, 128, 64, 3]
    convolutions = [only(block, nn.ConvTranspose2d) for block in full.decoder]
    assert [c.in_channels for c in convolutions] == inputs
    assert [c.out_channels for c in convolutions] == outputs
    for convolution in convolutions:
        assert (convolution.kernel_size, convolution.stride) == ((4, 4), (2, 2))
        assert convolution.padding == (1, 1)
    assert [c.bias is not None for c in convolutions] == [False] * 7 + [True]


def test_first_innermost_and_last_map_have_no_norm(full: UNet | EncoderDecoder) -> None:
    has_norm = [only(block, nn.BatchNorm2d) is not None for block in full.encoder]
    assert has_norm == [False] + [True] * 6 + [False]
    has_norm = [only(block, nn.BatchNorm2d) is not None for block in full.decoder]
    assert has_norm == [True] * 7 + [False]


def test_only_the_three_innermost_decoder_blocks_drop_values(full: UNet | EncoderDecoder) -> None:
    dropouts = [only(block, nn.Dropout) for block in full.decoder]
    assert [d and d.p for d in dropouts] == [0.5, 0.5, 0.5, None, None, None, None, None]
    assert not any(only(block, nn.Dropout) for block in full.encoder)


def test_layers_come_in_the_papers_order(full: UNet | EncoderDecoder) -> None:
    def names(block: nn.Module) -> list[str]:
        return [type(layer).__name__ for layer in block.children()]

    assert names(full.encoder[0]) == ["Conv2d"]
    assert names(full.encoder[1]) == ["LeakyReLU", "Conv2d", "BatchNorm2d"]
    assert names(full.encoder[7]) == ["LeakyReLU", "Conv2d"]
    assert names(full.decoder[0]) == ["ReLU", "ConvTranspose2d", "BatchNorm2d", "Dropout"]
    assert names(full.decoder[3]) == ["ReLU", "ConvTranspose2d", "BatchNorm2d"]
    assert names(full.decoder[7]) == ["ReLU", "ConvTranspose2d"]
    slopes = [only(block, nn.LeakyReLU).negative_slope for block in full.encoder[1:]]
    assert slopes == [0.2] * 7


def test_all_weights_begin_as_the_paper_draws_them(full: UNet | EncoderDecoder) -> None:
    for layer in full.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            deviations = layer.weight.numel() ** 0.5
            assert layer.weight.mean().item() == pytest.approx(0, abs=0.02 * 5 / deviations)
            assert layer.weight.std().item() == pytest.approx(0.02, rel=4 / deviations)
            assert layer.bias is None or not layer.bias.any()
    scales = torch.cat(
        [layer.weight for layer in full.modules() if isinstance(layer, nn.BatchNorm2d)]
    )
    assert scales.mean().item() == pytest.approx(1, abs=2e-3)
    assert scales.std().item() == pytest.approx(0.02, rel=0.06)


def norm(features: Tensor, layer: nn.Module | None, per_image: bool) -> Tensor:
    if layer is None:
        return features
    dims = (2, 3) if per_image else (0, 2, 3)
    centred = features - features.mean(dims, keepdim=True)
    scaled = centred / (centred.square().mean(dims, keepdim=True) + 1e-5).sqrt()
    weight, bias = (p.view(1, -1, 1, 1) for p in (layer.weight, layer.bias))
    return weight * scaled + bias


def recomputed(generator: UNet | EncoderDecoder, image: Tensor) -> Tensor:
    """The network without dropout, from its weights alone and with nothing in place."""
    per_image = only(generator.decoder[0], nn.InstanceNorm2d) is not None
    maps: list[Tensor] = []
    for block in generator.encoder:
        convolution = only(block, nn.Conv2d)
        seen = torch.where(maps[-1] > 0, maps[-1], 0.2 * maps[-1]) if maps else image
        result = F.conv2d(seen, convolution.weight, convolution.bias, stride=2, padding=1)
        maps.append(norm(result, only(block, nn.BatchNorm2d, nn.InstanceNorm2d), per_image))
    features = maps[-1]
    for i, block in enumerate(generator.decoder):
        if i > 0 and isinstance(generator, UNet):
            features = torch.cat([features, maps[-1 - i]], dim=1)
        seen = features.clamp(min=0)
        convolution = only(block, nn.Conv2d, nn.ConvTranspose2d)
        if isinstance(convolution, nn.ConvTranspose2d):
            result = F.conv_transpose2d(
                seen, convolution.weight, convolution.bias, stride=2, padding=1
            )
        else:
            doubled = seen.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            result = F.conv2d(doubled, convolution.weight, convolution.bias, padding=1)
        features = norm(result, only(block, nn.BatchNorm2d, nn.InstanceNorm2d), per_image)
    return features.tanh()


@BOTH
@pytest.mark.parametrize("norm_name", ["batch", "instance", "none"])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_outputs_and_gradients_equal_an_independent_computation(
    kind: Generator, norm_name: Any, upsampling: Any
) -> None:
    torch.manual_seed(0)
    generator = kind(
        2, 3, (32, 16), depth=4, base_channels=3, norm=norm_name, dropout=0.0, upsampling=upsampling
    ).double()
    for parameter in generator.parameters():  # away from the init, so that nothing hides
        nn.init.normal_(parameter, std=0.3)
    image = torch.randn(2, 2, 32, 16, dtype=torch.float64)
    weights = torch.randn(2, 3, 32, 16, dtype=torch.float64)
    parameters = list(generator.parameters())

    output, expected = generator(image), recomputed(generator, image)
    torch.testing.assert_close(output, expected)
    gradients = torch.autograd.grad((output * weights).sum(), parameters)
    expected_gradients = torch.autograd.grad((expected * weights).sum(), parameters)
    torch.testing.assert_close(gradients, expected_gradients)


def test_a_skip_is_the_encoders_map_unaltered_by_later_activations() -> None:
    torch.manual_seed(0)
    generator = UNet(3, 3, (32, 32), depth=4, base_channels=4, dropout=0.0)
    maps: list[Tensor] = []
    copies: list[Tensor] = []
    read: list[Tensor] = []

    def remember_map(_block: nn.Module, _args: object, result: Tensor) -> None:
        maps.append(result)
        copies.append(result.detach().clone())

    def remember_what_is_read(_block: nn.Module, args: tuple[Tensor]) -> None:
        read.append(args[0].detach().clone())

    for block in generator.encoder:
        block.register_forward_hook(remember_map)
    for block in generator.decoder:
        block.register_forward_pre_hook(remember_what_is_read)
    generator(torch.randn(2, 3, 32, 32))

    for skip, copy, seen in zip(maps[:-1], copies[:-1], read[:0:-1], strict=True):
        assert (copy < 0).any()
        assert torch.equal(skip, copy)
        assert torch.equal(seen[:, -skip.shape[1] :], copy)


@BOTH
def test_the_input_image_is_not_altered(kind: Generator) -> None:
    image = torch.randn(1, 3, 16, 16)
    before = image.clone()
    kind(3, 3, (16, 16), depth=3, base_channels=4)(image)
    assert torch.equal(image, before)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from([UNet, EncoderDecoder]),
    depth=st.integers(3, 10),
    base_channels=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    norm=st.sampled_from(["batch", "instance", "none"]),
    upsampling=st.sampled_from(["transposed", "resize"]),
    dropout_layers=st.integers(0, 9),
    wide=st.booleans(),
)
def test_any_depth_keeps_the_size_and_trains_with_one_image(
    kind: Generator,
    depth: int,
    base_channels: int,
    channels: tuple[int, int],
    norm: Any,
    upsampling: Any,
    dropout_layers: int,
    wide: bool,
) -> None:
    size = (2**depth, 2**depth * (2 if wide and depth < 8 else 1))
    generator = kind(
        *channels,
        size,
        depth=depth,
        base_channels=base_channels,
        norm=norm,
        upsampling=upsampling,
        dropout_layers=dropout_layers,
    )
    output = generator(torch.rand(1, channels[0], *size) * 2 - 1)
    assert output.shape == (1, channels[1], *size)
    assert output.abs().max() <= 1
    output.sum().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())
    dropped = [only(block, nn.Dropout) is not None for block in generator.decoder]
    expected = min(dropout_layers, depth - 1)
    assert dropped == [True] * expected + [False] * (depth - expected)
    widths = [only(block, nn.Conv2d).out_channels for block in generator.encoder]
    assert widths == [base_channels * min(2**i, 8) for i in range(depth)]


@BOTH
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_gradients_reach_all_parameters(kind: Generator, norm: Any) -> None:
    torch.manual_seed(0)
    generator = kind(3, 3, (32, 64), depth=4, base_channels=4, norm=norm)
    generator(torch.randn(2, 3, 32, 64)).square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@BOTH
def test_without_a_norm_every_convolution_has_a_bias(kind: Generator) -> None:
    generator = kind(3, 3, (16, 16), depth=3, base_channels=2, norm="none")
    convolutions = [
        layer for layer in generator.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    assert len(convolutions) == 6
    assert all(convolution.bias is not None for convolution in convolutions)


@BOTH
def test_dropout_is_noise_in_training_and_can_be_left_out(kind: Generator) -> None:
    image = torch.randn(1, 3, 32, 32)
    noisy = kind(3, 3, (32, 32), depth=4, base_channels=4)
    assert not torch.equal(noisy(image), noisy(image))
    still = kind(3, 3, (32, 32), depth=4, base_channels=4, dropout=0.0)
    assert torch.equal(still(image), still(image))
    assert only(still, nn.Dropout) is None


@BOTH
def test_resize_convolutions_replace_all_transposed_ones(kind: Generator) -> None:
    generator = kind(3, 3, (16, 16), depth=3, base_channels=2, upsampling="resize")
    assert only(generator, nn.ConvTranspose2d) is None
    for block in generator.decoder:
        assert only(block, nn.Upsample).mode == "nearest"
        convolution = only(block, nn.Conv2d)
        assert (convolution.kernel_size, convolution.padding) == ((3, 3), (1, 1))


@pytest.mark.parametrize(
    ("depth", "size", "advice"),
    [
        (8, (128, 128), "set augment.crop_size to 256 or generator.depth to 7"),
        (8, (256, 320), r"set augment.crop_size to \[256, 512\] or generator.depth to 6"),
        (5, (100, 100), "set augment.crop_size to 128$"),
    ],
)
def test_a_size_that_cannot_be_halved_so_often_is_refused_with_advice(
    depth: int, size: tuple[int, int], advice: str
) -> None:
    with pytest.raises(ValueError, match=advice) as raised:
        UNet(3, 3, size, depth=depth)
    assert f"multiples of {2**depth}, not {size[0]}x{size[1]}: " in str(raised.value)


@pytest.mark.parametrize("size", [(128, 128), (256, 320)])
def test_the_advised_depth_is_accepted(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"generator\.depth") as raised:
        UNet(3, 3, size)
    advised = int(str(raised.value).split()[-1])
    UNet(3, 3, size, depth=advised, base_channels=1)


@BOTH
def test_no_warning_is_given(kind: Generator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(3, 3, (16, 16), depth=3, base_channels=2)(torch.randn(1, 3, 16, 16)).sum().backward()
