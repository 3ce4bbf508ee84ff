"""Tiles: they cover the image, add up to one, and leave no seams."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from i2i.generators.unet import UNet
from i2i.images.types import Array
from i2i.model.inference import TestSettings, translate
from i2i.model.norms import SharedNorms
from i2i.model.tiling import Tiles, translate_tiles


@st.composite
def layouts(draw: st.DrawFn) -> Tiles:
    tile = draw(st.integers(2, 96)), draw(st.integers(2, 96))
    image = draw(st.integers(1, 500)), draw(st.integers(1, 500))
    return Tiles(image, tile, draw(st.integers(0, min(tile) // 2)))


@given(layouts())
@settings(deadline=None)
def test_tiles_cover_the_image_and_their_weights_add_up_to_one(tiles: Tiles) -> None:
    for side in (0, 1):
        length, tile = tiles.image[side], tiles.tile[side]
        places = tiles.places(side)
        total = np.zeros(max(length, tile))
        for place, weights in zip(places, tiles.weights(side), strict=True):
            assert place >= 0
            assert weights.min() >= 0
            total[place : place + tile] += weights
        assert places[-1] + tile >= length
        np.testing.assert_allclose(total, 1, atol=1e-5)
        overlaps = np.diff(places)
        assert (overlaps <= tile - tiles.overlap).all()


def test_weights_fall_smoothly_to_nothing_at_a_tile_s_edge() -> None:
    weights = Tiles((100, 1000), (64, 256), 32).weights(1)[1]
    assert weights[0] < 0.01
    assert weights[-1] < 0.01
    assert np.abs(np.diff(weights)).max() < 0.06


def colours(height: int, width: int, seed: int = 0) -> Array:
    """A picture that is smooth, of other colours and contrast at every place."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [
        np.sin(2 * np.pi * (y * rng.uniform(-4, 4) + x * rng.uniform(-4, 4)) + rng.uniform(0, 6))
        for _ in range(3)
    ]
    strength = 0.1 + 0.9 * x
    return np.rint(127.5 + 127 * strength[..., None] * np.stack(waves, 2)).astype(np.uint8)


def tiled(network: nn.Module, image: Array, tiles: Tiles, **options: object) -> Array:
    settings = {"statistics": "running", "dropout": False} | options
    return translate_tiles(
        network.eval(),
        image,
        tiles,
        TestSettings(**settings),  # type: ignore[arg-type]
        channels=3,
        dtype=torch.uint8,
        device=torch.device("cpu"),
    )


class Local(nn.Module):
    """A network that sees 9 pixels far, with norm and dropout."""

    def __init__(self, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 9, padding=4, padding_mode="reflect"),
            norm or nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(8, 3, 1),
            nn.Tanh(),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.layers(image)  # type: ignore[no-any-return]


def whole(network: nn.Module, image: Array, **options: object) -> Array:
    batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
    output = translate(network, batch, TestSettings(**options))[0]  # type: ignore[arg-type]
    return ((output + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("dropout", [False, True])
def test_what_sees_only_near_is_the_same_in_tiles_as_whole(dropout: bool) -> None:
    torch.manual_seed(0)
    network, image = Local(), colours(150, 210)
    here = tiled(network, image, Tiles((150, 210), (64, 64), 24), dropout=dropout)
    there = whole(network, image, statistics="running", dropout=dropout)
    inside = slice(4, -4), slice(4, -4)
    difference = np.abs(here.astype(int) - there)[inside]
    # Only where a tile's own edge is faded in, by mirrored pixels, does it see something else.
    assert np.percentile(difference, 90) <= 1
    assert difference.mean() < 0.5


@pytest.mark.parametrize(
    ("norm", "statistics"),
    [
        (nn.BatchNorm2d(8), "per_image"),
        (nn.InstanceNorm2d(8, affine=True), "running"),
        (nn.InstanceNorm2d(8), "per_image"),
        (nn.GroupNorm(4, 8), "running"),
        (nn.GroupNorm(1, 8), "per_image"),
    ],
    ids=lambda value: str(value).partition("(")[0],
)
def test_statistics_are_one_image_s_not_each_tile_s(norm: nn.Module, statistics: str) -> None:
    torch.manual_seed(0)
    network = Local(norm)
    for parameter in network.parameters():
        parameter.data *= 2
    image = colours(256, 512)
    tiles = Tiles((256, 512), (128, 128), 32)
    shared = tiled(network, image, tiles, statistics=statistics)
    reference = whole(network, image, statistics="per_image", dropout=False)
    close = np.abs(shared.astype(int) - reference).mean()
    apart = [
        whole(network, np.ascontiguousarray(image[y : y + 128, x : x + 128]), dropout=False)
        for y, x in ((0, 0), (0, 384))
    ]
    far = np.mean(
        [
            np.abs(apart[i].astype(int) - reference[:128, x : x + 128]).mean()
            for i, x in ((0, 0), (1, 384))
        ]
    )
    assert close < 3
    assert far > 4 * close


def test_there_are_no_seams() -> None:
    torch.manual_seed(1)
    network = UNet(3, 3, (64, 64), depth=5, base_channels=8)
    image = colours(320, 576)
    tiles = Tiles((320, 576), (128, 128), 32)
    output = tiled(network, image, tiles, statistics="per_image", dropout=True).astype(float)
    for side in (0, 1):
        steps = np.abs(np.diff(output, axis=side)).mean(axis=(1 - side, 2))
        edges = [p + d - 1 for p in tiles.places(side) for d in (0, 128) if 0 < p + d < len(steps)]
        assert steps[edges].mean() < 1.15 * np.delete(steps, edges).mean()


def test_an_image_smaller_than_a_tile_is_mirrored_and_cut_back() -> None:
    torch.manual_seed(0)
    network = Local()
    image = colours(40, 300)
    output = tiled(network, image, Tiles((40, 300), (64, 128), 32))
    assert output.shape == (40, 300, 3)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (30.0, 1e-3), (1000.0, 0.1)])
@pytest.mark.parametrize(
    ("norm", "groups", "arguments"),
    [
        (F.batch_norm, 4, lambda tile: (tile, None, None)),
        (F.instance_norm, 4, lambda tile: (tile,)),
        (F.group_norm, 2, lambda tile: (tile, 2)),
    ],
    ids=["batch", "instance", "group"],
)
def test_statistics_of_tiles_are_those_of_all_their_values(
    mean: float,
    deviation: float,
    norm: Callable[..., Tensor],
    groups: int,
    arguments: Callable[[Tensor], tuple[Any, ...]],
) -> None:
    drawn = torch.randn(5, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    tiles = (drawn * deviation + mean + torch.arange(5.0)[:, None, None, None] * deviation).float()
    norms = SharedNorms("per_image")
    with norms.measured():
        for tile in tiles:
            norms.begin()
            norms.replacements[norm](*arguments(tile[None]))
    exact = tiles.double().unflatten(1, (groups, -1)).transpose(0, 1).flatten(1)
    torch.testing.assert_close(norms.known[0][0].double(), exact.mean(1), rtol=1e-6, atol=1e-5)
    torch.testing.assert_close(
        norms.known[0][1].double(), exact.var(1, correction=0), rtol=0.05, atol=1e-9
    )
