"""Test time: each image as if it were alone, and noise that belongs to the image."""

from typing import Any

import pytest
import timm
import torch
from torch import nn

from i2i.generators.unet import UNet
from i2i.model import inference
from i2i.model.inference import TestSettings


def translate(network: nn.Module, images: torch.Tensor, **settings: Any) -> torch.Tensor:
    return inference.translate(network, images, TestSettings(**settings))


@pytest.fixture
def generator() -> nn.Module:
    torch.manual_seed(0)
    network = UNet(3, 3, (32, 32), depth=3, base_channels=8)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.bias)
    return network


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_per_image_statistics_are_the_paper_s_at_batch_size_1(
    generator: nn.Module, images: torch.Tensor
) -> None:
    ours = translate(generator, images, statistics="per_image", dropout=False)
    generator.train()
    for layer in generator.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
    with torch.no_grad():
        alone = torch.cat([generator(image[None]) for image in images])
    torch.testing.assert_close(ours, alone, rtol=0, atol=1e-5)


def test_running_statistics_are_those_of_the_training(
    generator: nn.Module, images: torch.Tensor
) -> None:
    ours = translate(generator, images, statistics="running", dropout=False)
    with torch.no_grad():
        plain = generator.eval()(images)
    assert torch.equal(ours, plain)
    per_image = translate(generator, images, statistics="per_image", dropout=False)
    assert (ours - per_image).abs().max() > 0.01


@pytest.mark.parametrize("statistics", ["per_image", "running"])
def test_neighbours_and_order_change_nothing(
    generator: nn.Module, images: torch.Tensor, statistics: str
) -> None:
    together = translate(generator, images, statistics=statistics)
    for i in (3, 0):
        alone = translate(generator, images[i : i + 1], statistics=statistics)
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=1e-5)
    turned = translate(generator, images.flip(0), statistics=statistics)
    torch.testing.assert_close(turned.flip(0), together, rtol=0, atol=1e-5)


def test_dropout_is_noise_that_the_seed_and_the_draw_decide(
    generator: nn.Module, images: torch.Tensor
) -> None:
    first = translate(generator, images, seed=1)
    torch.rand(7)
    assert torch.equal(first, translate(generator, images, seed=1))
    assert not torch.equal(first, translate(generator, images, seed=2))
    assert not torch.equal(first, translate(generator, images, seed=1, sample=1))
    still = translate(generator, images, dropout=False)
    assert torch.equal(still, translate(generator, images, dropout=False, seed=5))


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    network = nn.Sequential(nn.Dropout(0.3), nn.Identity())
    ones = torch.ones(4, 3, 64, 64)
    dropped = translate(network, ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    whole = translate(nn.Dropout2d(0.5), torch.ones(4, 64, 8, 8))
    assert set(whole.mean(dim=(2, 3)).unique().tolist()) == {0.0, 2.0}


def test_images_of_a_batch_have_noise_of_their_own() -> None:
    images = torch.rand(2, 3, 16, 16) + 1
    dropped = translate(nn.Dropout(0.5), images)
    assert not torch.equal(dropped[0] == 0, dropped[1] == 0)


def test_it_works_inside_timm_s_networks(images: torch.Tensor) -> None:
    encoder = timm.create_model("resnet18", features_only=True, out_indices=(1,))
    network = nn.Sequential(encoder.conv1, encoder.bn1)
    together = translate(network, images)
    assert together.mean(dim=(2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(together.var(dim=(2, 3)), torch.ones(5, 64), rtol=0, atol=0.05)


def test_the_network_is_left_as_it_was(generator: nn.Module, images: torch.Tensor) -> None:
    before = {key: value.clone() for key, value in generator.state_dict().items()}
    generator.train()
    translate(generator, images)
    assert generator.training
    assert all(torch.equal(value, before[key]) for key, value in generator.state_dict().items())


def test_maps_of_one_pixel_take_the_running_statistics() -> None:
    norm = nn.BatchNorm2d(4)
    nn.init.normal_(norm.running_mean)
    pixels = torch.rand(3, 4, 1, 1)
    with torch.no_grad():
        expected = norm.eval()(pixels)
    torch.testing.assert_close(translate(norm, pixels), expected)
