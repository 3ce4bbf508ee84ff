"""The four networks, as `i2i check` shows them, and the generator's shape."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from i2i_cyclegan.resnet import ResNet

from i2i.cli import program

RECIPE = """
name = "paper"
[data]
type = "synthetic"
paired = false
[method]
type = "cyclegan"
[generator]
type = "resnet"
blocks = 9
[[losses]]
type = "gan"
objective = "lsgan"
"""


def test_the_networks_have_the_paper_s_parameters(tmp_path: Path) -> None:
    (tmp_path / "paper.toml").write_text(RECIPE)
    said = CliRunner().invoke(program, ["check", str(tmp_path / "paper.toml")]).output
    counts = {
        line.split()[0]: int(line.split()[1].replace(",", ""))
        for line in said.splitlines()
        if "parameters" in line
    }
    assert counts == {
        "generator": 11_378_179,
        "inverse": 11_378_179,
        "discriminator.target": 2_764_737,
        "discriminator.input": 2_764_737,
    }
    assert sum(counts.values()) == 28_285_832


@pytest.mark.parametrize(
    ("blocks", "norm", "expected"),
    [
        (9, "instance", 11_378_179),
        (6, "instance", 7_837_699),
        (9, "batch", 11_383_427),
        (6, "batch", 7_841_411),
    ],
)
def test_a_resnet_has_the_known_number_of_parameters(blocks: int, norm: str, expected: int) -> None:
    with torch.device("meta"):
        network = ResNet(3, 3, blocks=blocks, norm=norm)  # type: ignore[arg-type]
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("size", [(16, 24), (64, 32)])
def test_the_output_has_the_input_s_size_and_is_a_picture(size: tuple[int, int]) -> None:
    network = ResNet(1, 3, blocks=1, base_channels=4)
    output = network(torch.rand(2, 1, *size) * 2 - 1)
    assert output.shape == (2, 3, *size)
    assert output.abs().max() <= 1
