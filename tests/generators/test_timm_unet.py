"""The U-Net on timm's encoders."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

from i2i.errors import WeightsError
from i2i.generators.timm_unet import TimmUNet
from i2i.weights import load

TESTED = pytest.mark.parametrize("encoder", ["resnet34", "resnet50", "tf_efficientnet_lite0"])


@TESTED
@pytest.mark.parametrize("size", [(64, 64), (64, 128), (160, 96)])
def test_the_output_has_the_inputs_size_and_the_targets_channels(
    encoder: str, size: tuple[int, int]
) -> None:
    generator = TimmUNet(3, 2, size, encoder=encoder, base_channels=4)
    output = generator(torch.rand(1, 3, *size) * 2 - 1)
    assert output.shape == (1, 2, *size)
    assert output.abs().max() <= 1


@pytest.mark.parametrize(
    "encoder",
    ["convnext_atto", "vgg11", "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224"],
    ids=["begins at a quarter", "begins at full size", "channels last", "one size only"],
)
def test_encoders_of_other_shapes_work_too(encoder: str) -> None:
    generator = TimmUNet(3, 3, (64, 96), encoder=encoder, base_channels=2)
    assert generator(torch.rand(1, 3, 64, 96)).shape == (1, 3, 64, 96)


@TESTED
def test_gradients_reach_all_parameters(encoder: str) -> None:
    torch.manual_seed(0)
    generator = TimmUNet(3, 3, (64, 64), encoder=encoder, base_channels=4, dropout=0.0)
    generator(torch.randn(2, 3, 64, 64)).square().sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_input_channels_is_taken(channels: int) -> None:
    generator = TimmUNet(channels, 3, (64, 64), encoder="tf_efficientnet_lite0")
    assert generator(torch.rand(1, channels, 64, 64)).shape == (1, 3, 64, 64)


def test_the_encoder_keeps_timms_init_and_the_decoder_gets_the_papers() -> None:
    torch.manual_seed(3)
    generator = TimmUNet(3, 3, (64, 64))
    torch.manual_seed(3)
    encoder = timm.create_model("resnet34", features_only=True)
    for name, value in encoder.state_dict().items():
        assert torch.equal(generator.encoder.state_dict()[name], value), name
    for layer in (*generator.decoder.modules(), generator.head):
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert layer.bias is None or not layer.bias.any()


def test_building_it_leaves_the_encoders_statistics_and_mode_alone() -> None:
    generator = TimmUNet(3, 3, (64, 64))
    assert all(module.training for module in generator.modules())
    for name, value in generator.encoder.named_buffers():
        if name.endswith("running_mean") or name.endswith("num_batches_tracked"):
            assert not value.any(), name


def test_every_resolution_of_the_encoder_reaches_the_decoder() -> None:
    generator = TimmUNet(3, 3, (64, 64), base_channels=2)
    inputs = [
        layer.in_channels for layer in generator.decoder.modules() if isinstance(layer, nn.Conv2d)
    ]
    widths = [16, 16, 8, 4]
    assert inputs == [512 + 256, widths[0] + 128, widths[1] + 64, widths[2] + 64, widths[3]]


def test_dropout_is_the_noise_of_the_innermost_decoder_blocks() -> None:
    image = torch.randn(2, 3, 64, 64)
    noisy = TimmUNet(3, 3, (64, 64), base_channels=4, dropout=0.3, dropout_layers=2)
    dropped = [
        [layer.p for layer in block.modules() if isinstance(layer, nn.Dropout)]
        for block in noisy.decoder
    ]
    assert dropped == [[0.3], [0.3], [], [], []]
    assert not torch.equal(noisy(image), noisy(image))
    still = TimmUNet(3, 3, (64, 64), base_channels=4, dropout=0.0)
    assert torch.equal(still(image), still(image))


@pytest.mark.parametrize(
    ("norm", "kind"), [("batch", nn.BatchNorm2d), ("instance", nn.InstanceNorm2d), ("none", None)]
)
def test_the_norm_option_is_the_decoders(norm: Any, kind: type[nn.Module] | None) -> None:
    generator = TimmUNet(3, 3, (64, 64), norm=norm, base_channels=2)
    for block in generator.decoder:
        assert any(isinstance(layer, nn.Conv2d) for layer in block.modules())
        convolution = next(layer for layer in block.modules() if isinstance(layer, nn.Conv2d))
        assert (convolution.bias is None) == (kind is not None)
        if kind:
            assert any(isinstance(layer, kind) for layer in block.modules())


@pytest.mark.parametrize(
    ("size", "crop_size"),
    [((48, 48), "64"), ((64, 100), r"\[64, 128\]"), ((16, 64), r"\[32, 64\]")],
)
def test_a_size_that_is_no_multiple_of_the_reduction_is_refused_with_the_size_needed(
    size: tuple[int, int], crop_size: str
) -> None:
    with pytest.raises(ValueError, match=f"multiples of 32.*crop_size to {crop_size}$"):
        TimmUNet(3, 3, size)


def test_an_unknown_encoder_is_refused_with_near_names() -> None:
    with pytest.raises(ValueError, match=r"unknown encoder 'resnet33', did you mean .*'resnet34'"):
        TimmUNet(3, 3, (64, 64), encoder="resnet33")


@pytest.mark.parametrize("encoder", ["resnet34.nosuchtag", "inception_v3"])
def test_an_encoder_that_cannot_be_used_is_refused_by_name(encoder: str) -> None:
    with pytest.raises(ValueError, match=f"timm's '{encoder}' can't be the encoder"):
        TimmUNet(3, 3, (64, 64), encoder=encoder)


def test_a_pretrained_encoder_has_the_pretrained_values(weights: Path) -> None:
    generator = TimmUNet(3, 3, (64, 64), encoder="tf_efficientnet_lite0", pretrained=True)
    tensors = load("efficientnet_lite0").tensors
    state = generator.encoder.state_dict()
    assert len(state) > 280
    assert all(torch.equal(state[name], tensors[name]) for name in state)


def test_a_pretrained_encoder_takes_other_channels(weights: Path) -> None:
    generator = TimmUNet(1, 3, (64, 64), encoder="tf_efficientnet_lite0", pretrained=True)
    kernel = load("efficientnet_lite0").tensors["conv_stem.weight"]
    found = generator.encoder.state_dict()["conv_stem.weight"]
    torch.testing.assert_close(found, kernel.sum(1, keepdim=True))


def test_pretrained_weights_that_cannot_be_had_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="'resnet34' are unavailable"):
        TimmUNet(3, 3, (64, 64), pretrained=True)


def test_the_output_is_tanh_of_the_raw_values() -> None:
    generator = TimmUNet(3, 2, (64, 64), base_channels=4, dropout=0.0).eval()
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    assert torch.equal(generator(image), torch.tanh(generator.raw(image)))
