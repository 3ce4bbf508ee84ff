"""Noise as a function of place: uniform, independent, the same wherever it is asked for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from i2i.errors import I2IError
from i2i.model.noise import PRIME, Noise, _mixed, content_of_rows, keys_of_content, noise_keys

CPU = torch.device("cpu")


def images(n: int = 2, size: tuple[int, int] = (24, 32)) -> torch.Tensor:
    return torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(n)) * 2 - 1


def kept(keys: torch.Tensor, p: float = 0.5, cells: tuple[int, int] = (32, 32)) -> torch.Tensor:
    noise = Noise(lambda: keys, (256, 256))
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
    noise = Noise(lambda: torch.tensor([5, 6]), (256, 256))
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
    whole = Noise(lambda: torch.tensor([7]), (128, 128))
    all_of_it = whole.keep(torch.zeros(1, 3, cells * 4, cells * 4), 0.5, whole_channels=False)
    tile = whole.at((top, left), (32, 32))
    part = tile.keep(torch.zeros(1, 3, cells, cells), 0.5, whole_channels=False)
    y, x = top * cells // 32, left * cells // 32
    assert torch.equal(part, all_of_it[..., y : y + cells, x : x + cells])


def test_whole_channels_are_kept_or_dropped_as_one() -> None:
    noise = Noise(lambda: torch.arange(4), (8, 8))
    keep = noise.keep(torch.zeros(4, 64, 8, 8), 0.5, whole_channels=True)
    assert keep.shape == (4, 64, 1, 1)
    assert 0.3 < keep.float().mean() < 0.7


def drawn(layers: int = 1, shape: tuple[int, ...] = (4, 8, 64, 64)) -> list[torch.Tensor]:
    noise = Noise(lambda: torch.arange(100, 100 + shape[0]), (256, 256))
    return [noise.normal(shape, CPU, torch.float32) for _ in range(layers)]


def test_uniform_numbers_are_uniform() -> None:
    noise = Noise(lambda: torch.arange(4), (256, 256))
    numbers = noise.uniform((4, 8, 64, 64), CPU, torch.float32)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert stats.kstest(numbers.flatten().numpy(), "uniform").pvalue > 1e-3
    assert numbers.mean().item() == pytest.approx(0.5, abs=4 / np.sqrt(12 * numbers.numel()))
    assert numbers.var().item() == pytest.approx(1 / 12, rel=0.02)


def test_normal_numbers_are_normal() -> None:
    numbers = drawn()[0].flatten().double()
    count = numbers.numel()
    assert stats.kstest(numbers.numpy(), "norm").pvalue > 1e-3
    assert numbers.mean().item() == pytest.approx(0, abs=4 / np.sqrt(count))
    assert numbers.var().item() == pytest.approx(1, abs=4 * np.sqrt(2 / count))
    assert (numbers**4).mean().item() == pytest.approx(3, abs=4 * np.sqrt(96 / count))


def test_normal_numbers_are_box_and_muller_s() -> None:
    noise = Noise(lambda: torch.tensor([9]), (8, 8))
    residue = int(noise._residues((1, 1), CPU))
    second = int(_mixed(torch.tensor(residue + 0x510E527F)))
    by_hand = np.sqrt(-2 * np.log((residue + 1) / 2**31)) * np.cos(2 * np.pi * second / 2**31)
    again = Noise(lambda: torch.tensor([9]), (8, 8)).normal((1, 1), CPU, torch.float32)
    assert again.item() == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("residue", [0, 1, PRIME - 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_no_residue_gives_an_infinite_number_or_a_one(
    residue: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Noise, "_residues", lambda *_: torch.tensor([residue]))
    noise = Noise(lambda: torch.tensor([0]), (8, 8))
    normal, uniform = noise.normal((1,), CPU, dtype), noise.uniform((1,), CPU, dtype)
    assert normal.dtype == uniform.dtype == dtype
    assert normal.abs() < 6.6
    assert 0 <= uniform < 1


def test_normal_numbers_of_different_images_layers_channels_and_places_are_uncorrelated() -> None:
    first, second = drawn(layers=2)
    pairs = {
        "image": (first[:-1], first[1:]),
        "layer": (first, second),
        "channel": (first[:, :-1], first[:, 1:]),
        "row": (first[:, :, :-1], first[:, :, 1:]),
        "column": (first[..., :-1], first[..., 1:]),
        "far column": (first[..., :-7], first[..., 7:]),
    }
    for what, (one, other) in pairs.items():
        for power in (1, 2):
            both = torch.stack([one.flatten() ** power, other.flatten() ** power])
            assert torch.corrcoef(both)[0, 1].abs() < 4.5 / np.sqrt(one.numel()), (what, power)


def test_samples_have_other_noise() -> None:
    batch = images(2)
    drawn = []
    for sample in (0, 1):
        noise = Noise(lambda sample=sample: noise_keys(batch, 0, sample), (24, 32))
        drawn.append(noise.normal((2, 3, 24, 32), CPU, torch.float32).flatten())
    assert torch.corrcoef(torch.stack(drawn))[0, 1].abs() < 4.5 / np.sqrt(drawn[0].numel())


@pytest.mark.parametrize("shape", [(300,), (300, 50), (3, 4, 900), (3, 4, 6, 7, 8)])
def test_every_number_of_any_shape_is_another(shape: tuple[int, ...]) -> None:
    numbers = drawn(shape=shape)[0]
    assert numbers.shape == shape
    assert len(numbers.unique()) > 0.99 * numbers.numel()


def test_the_numbers_are_the_same_in_all_types() -> None:
    def draw(dtype: torch.dtype, normal: bool) -> torch.Tensor:
        noise = Noise(lambda: torch.arange(4), (8, 8))
        return (noise.normal if normal else noise.uniform)((4, 99), CPU, dtype).float()

    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        for normal in (False, True):
            torch.testing.assert_close(
                draw(dtype, normal), draw(torch.float32, normal), rtol=0.01, atol=0.01
            )


def test_a_style_is_of_the_whole_image_and_a_map_of_its_place() -> None:
    whole = Noise(lambda: torch.tensor([7]), (128, 128))
    full = whole.normal((1, 3, 128, 128), CPU, torch.float32)
    styles = [
        whole.at(origin, (32, 32)).normal(shape, CPU, torch.float32).flatten()
        for origin in ((0, 0), (64, 32))
        for shape in ((1, 5), (1, 5, 1, 1))
    ]
    assert torch.equal(styles[0], styles[2])
    assert torch.equal(styles[1], styles[3])
    part = whole.at((64, 32), (32, 32)).normal((1, 3, 32, 32), CPU, torch.float32)
    assert torch.equal(part, full[..., 64:96, 32:64])


def test_what_is_not_one_value_per_image_is_refused() -> None:
    noise = Noise(lambda: torch.arange(3), (8, 8))
    for shape in ((1, 3, 8, 8), (), (12, 4)):
        with pytest.raises(I2IError, match=r"can't draw .* for a batch of 3 .* \(N, \.\.\.\)"):
            noise.normal(shape, CPU, torch.float32)
    with pytest.raises(I2IError, match=r"can't draw numbers of torch\.int64"):
        noise.uniform((3,), CPU, torch.int64)
    assert not noise.drawn


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
