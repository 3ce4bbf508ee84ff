from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.limit import convolutions, forward_flop
from benchmarks.networks import as_torch, networks, paper_recipe, plain_networks
from benchmarks.peer import PARTS, unpacked
from benchmarks.summary import comparison
from i2i.convolution import Conv2d, ConvTranspose2d


def test_a_ratio_above_1_means_that_i2i_is_better() -> None:
    result = comparison("seconds", [1.0, 2.0, 4.0], [2.0, 6.0, 4.0])
    assert result["ratio"] == {"median": 2.0, "min": 1.0, "max": 3.0}


def test_plain_networks_hold_torchs_own_layers_and_compute_the_same() -> None:
    recipe = paper_recipe(32, 1, 4, "test.dropout=false", "discriminator.receptive_field=16")
    generator = networks(recipe).generator.eval()
    image = torch.rand(1, 3, 32, 32)
    before = generator(image)
    as_torch(generator)
    kinds = {type(module) for network in plain_networks(recipe) for module in network.modules()}
    assert not kinds & {Conv2d, ConvTranspose2d}
    assert {nn.Conv2d, nn.ConvTranspose2d} <= kinds
    torch.testing.assert_close(generator(image), before)


def test_the_convolutions_of_a_network_are_all_its_operations() -> None:
    network, image = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU()), torch.rand(2, 3, 16, 16)
    network.append(nn.ConvTranspose2d(8, 3, 4, 2, 1))
    with FlopCounterMode(display=False) as counter:
        network(image)
    found = sum(forward_flop(layer, shape) for layer, shape in convolutions(network, image))
    assert found == counter.get_total_flops() == 2 * 2 * 2 * 3 * 8 * 16 * 8 * 8


def test_without_a_clone_one_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="git clone"), unpacked(None):
        pass
    with pytest.raises(SystemExit, match=r"neither the commit .* train\.py"), unpacked(tmp_path):
        pass


def test_a_clone_without_the_commit_is_copied_as_it_is(tmp_path: Path) -> None:
    for part in PARTS:
        if part.endswith(".py"):
            (tmp_path / part).touch()
        else:
            (tmp_path / part).mkdir()
    with unpacked(tmp_path) as peer:
        assert sorted(path.name for path in peer.folder.iterdir()) == sorted(PARTS)
        assert "as they are" in peer.source
    assert not peer.folder.exists()
