"""The networks: sizes, features and blurs."""

import pytest
import torch
from i2i_cut.blur import BlurDown, BlurUp
from i2i_cut.discriminator import CutPatch
from i2i_cut.features import Features
from i2i_cut.generator import CutResNet
from torch import nn


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_networks_have_the_papers_sizes() -> None:
    with torch.device("meta"):
        generator = CutResNet(3, 3)
        channels = generator.feature_channels((0, 4, 8, 12, 16))
        assert channels == (3, 128, 256, 256, 256)
        assert parameters(generator) == 11_378_179
        assert parameters(CutPatch(3, (256, 256))) == 2_764_737
        assert parameters(Features(channels, 256)) == 560_384
        assert CutPatch(3, (256, 256))(torch.empty(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_features_are_what_the_layers_compute_on_the_way_to_the_output() -> None:
    generator = CutResNet(3, 3, blocks=2, base_channels=4)
    images = torch.rand(2, 3, 16, 24)
    maps = images
    expected = []
    for layer in generator.layers:
        maps = layer(maps)
        expected.append(maps.clone())
    assert torch.equal(generator(images), expected[-1])
    last = generator.encoder_layers
    for found, right in zip(generator(images, range(last)), expected[:last], strict=True):
        assert torch.equal(found, right)
    assert generator.feature_channels(range(last)) == tuple(m.shape[1] for m in expected[:last])


@pytest.mark.parametrize("layers", [(), (4, 0), (0, 0), (-1,), (0, 13)])
def test_layers_must_be_of_the_encoder_and_rise(layers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"0 to 12 with the generator's blocks.*change"):
        CutResNet(3, 3, blocks=1, base_channels=2).feature_channels(layers)


@pytest.mark.parametrize("change", [BlurDown(), BlurUp()])
def test_a_blur_keeps_a_plain_image(change: nn.Module) -> None:
    plain = torch.full((1, 2, 6, 8), 0.7)
    torch.testing.assert_close(change(plain).unique(), torch.tensor([0.7]), rtol=1e-6, atol=0)


def test_blurs_are_binomial() -> None:
    point = torch.zeros(1, 1, 8, 8)
    point[0, 0, 4, 4] = 16
    down = torch.zeros(4, 4)
    down[2, 2] = 4  # of [1 2 1] x [1 2 1] / 16, only the middle is kept
    assert torch.equal(BlurDown()(point)[0, 0], down)
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    assert torch.equal(BlurUp()(point)[0, 0, 7:11, 7:11], taps[:, None] * taps[None, :])


def test_embeddings_have_length_1_and_are_of_the_places() -> None:
    embed = Features((3, 5), 8)
    maps = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)]
    places = [torch.tensor([5, 0, 11]), torch.tensor([3])]
    found = embed(maps, places)
    assert [tuple(each.shape) for each in found] == [(2, 3, 8), (2, 1, 8)]
    torch.testing.assert_close(found[0].norm(dim=-1), torch.ones(2, 3), rtol=0, atol=1e-2)
    raw = embed.heads[0](maps[0][1, :, 2, 3])  # place 11 of a row of 4
    torch.testing.assert_close(found[0][1, 2], raw / (raw.norm() + 1e-7))


def test_an_image_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 24x24: set a larger augment.crop_size"):
        CutPatch(3, (16, 64))
    assert CutPatch(3, (24, 24), base_channels=2)(torch.rand(1, 3, 24, 24)).numel() == 1
