"""Noise as a function of place: uniform, independent, the same wherever it is asked for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.model.noise import PRIME, Noise, _mixed, content_of_rows, keys_of_content, noise_keys


def images(n: int = 2, size: tuple[int, int] = (24, 32)) -> torch.Tensor:
    return torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(n)) * 2 - 1


def kept(keys: torch.Tensor, p: float = 0.5, cells: tuple[int, int] = (32, 32)) -> torch.Tensor:
    noise = Noise(keys, (256, 256))
    return noise.keep(torch.zeros(len(keys), 16, *cells), p, whole_channels=False)


def test_mixing_is_a_permutation_that_python_s_own_numbers_agree_on() -> None:
    numbers = [0, 1, 2, 12345, PRIME - 1]
    expected = numbers
    for constant in (0x3C6EF372, 0x5BE0CD19, 0x1F83D9AB):
        expected = [pow(number + constant, 5, PRIME) for number in expected]
    assert _mixed(torch.tensor(numbers)).tolist() == expected
    assert len(_mixed(torch.arange(100_000)).unique()) == 100_000


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped_is_p(p: float) -> None:
    share = 1 - kept(torch.arange(8), p, (64, 64)).float().mean().item()
    assert share == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / (8 * 16 * 64 * 64)))


def test_images_channels_layers_rows_and_columns_have_noise_of_their_own() -> None:
    noise = Noise(torch.tensor([5, 6]), (256, 256))
    values = torch.zeros(2, 16, 64, 64)
    first, second = (noise.keep(values, 0.5, whole_channels=False) for _ in range(2))
    pairs = {
        "image": (first[0], first[1]),
        "layer": (first, second),
        "channel": (first[:, :-1], first[:, 1:]),
        "row": (first[:, :, :-1], first[:, :, 1:]),
        "column": (first[..., :-1], first[..., 1:]),
        "far column": (first[..., :-7], first[..., 7:]),
    }
    for what, (one, other) in pairs.items():
        same = (one == other).float().mean().item()
        assert same == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(one.numel())), what


def test_neighbours_that_follow_each_other_look_like_coins() -> None:
    bits = kept(torch.arange(4), 0.5, (64, 64)).flatten(2).int()
    runs = bits[..., :-2] * 4 + bits[..., 1:-1] * 2 + bits[..., 2:]
    counts = torch.bincount(runs.flatten(), minlength=8).double()
    expected = counts.sum() / 8
    assert (((counts - expected) ** 2) / expected).sum() < 30  # chi squared, 7 degrees


@given(
    top=st.integers(0, 3).map(lambda n: 32 * n),
    left=st.integers(0, 3).map(lambda n: 32 * n),
    cells=st.sampled_from([1, 2, 4, 16]),
)
@settings(max_examples=30, deadline=None)
def test_a_tile_has_the_noise_of_its_place_in_the_whole(top: int, left: int, cells: int) -> None:
    whole = Noise(torch.tensor([7]), (128, 128))
    all_of_it = whole.keep(torch.zeros(1, 3, cells * 4, cells * 4), 0.5, whole_channels=False)
    tile = whole.at((top, left), (32, 32))
    part = tile.keep(torch.zeros(1, 3, cells, cells), 0.5, whole_channels=False)
    y, x = top * cells // 32, left * cells // 32
    assert torch.equal(part, all_of_it[..., y : y + cells, x : x + cells])


def test_whole_channels_are_kept_or_dropped_as_one() -> None:
    keep = Noise(torch.arange(4), (8, 8)).keep(torch.zeros(4, 64, 8, 8), 0.5, whole_channels=True)
    assert keep.shape == (4, 64, 1, 1)
    assert 0.3 < keep.float().mean() < 0.7


def test_keys_depend_on_content_seed_and_draw_and_on_nothing_else() -> None:
    batch = images(3)
    keys = noise_keys(batch, 1, 0)
    assert torch.equal(keys.flip(0), noise_keys(batch.flip(0), 1, 0))
    assert torch.equal(keys[1:2], noise_keys(batch[1:2], 1, 0))
    others = [noise_keys(batch, 2, 0), noise_keys(batch, 1, 1), noise_keys(batch.flip(3), 1, 0)]
    others += [noise_keys(batch.flip(1), 1, 0), noise_keys(batch.transpose(2, 3), 1, 0)]
    assert not any((keys == other).any() for other in others)
    changed = batch.clone()
    changed[0, 2, 23, 31] += 2 / 255
    assert (noise_keys(changed, 1, 0) == keys).tolist() == [False, True, True]


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_last_bit_of_a_float_changes_no_noise(seed: int) -> None:
    whole = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (2, 3, 8, 8)))
    exact = (whole.double() / 127.5 - 1).float()
    for other in (exact.nextafter(torch.tensor(9.0)), exact.nextafter(torch.tensor(-9.0))):
        assert torch.equal(noise_keys(exact, 0, 0), noise_keys(other, 0, 0))


def test_rows_can_be_summed_in_parts() -> None:
    batch = images(2, (50, 32))
    parts = sum(content_of_rows(batch[:, :, first : first + 8], first) for first in range(0, 50, 8))
    assert torch.equal(keys_of_content(parts, 3, 1), noise_keys(batch, 3, 1))


def test_large_images_overflow_nothing() -> None:
    white = torch.ones(1, 1, 2, 60_000)
    levels, weights = [65535] * 60_000, _mixed(torch.arange(60_000) + 3 * 2**16) % 2**24
    by_hand = sum(level * weight for level, weight in zip(levels, weights.tolist(), strict=True))
    rows = _mixed(torch.arange(2) + 2 * 2**16).tolist()
    assert (
        content_of_rows(white).item() == sum(by_hand % PRIME * row % PRIME for row in rows) % PRIME
    )
