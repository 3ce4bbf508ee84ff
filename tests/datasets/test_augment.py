"""Augmentation: one crop and flip for both images of a pair, from (seed, epoch, index) alone."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from i2i.datasets.augment import augment

HEIGHT, WIDTH = 12, 20


def places(count: int, dtype: torch.dtype = torch.uint8) -> Tensor:
    """Pairs whose pixels tell their row, their column, and their row again."""
    row, column = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    return torch.stack([row, column, row + 100, column + 100]).to(dtype).repeat(count, 1, 1, 1)


def cut(indices: list[int], **options: Any) -> Tensor:
    chosen: dict[str, Any] = {"crop": (8, 9), "flip": True, "seed": 0, "epoch": 0, **options}
    return augment(places(len(indices)), indices, **chosen)


def what_was_done(pair: Tensor) -> tuple[int, int, bool]:
    """Top, left and whether it is mirrored, as its pixels tell."""
    row, column = pair[0].int(), pair[1].int()
    return int(row.min()), int(column.min()), bool(column[0, 0] > column[0, -1])


def test_input_and_target_are_cut_and_mirrored_as_one() -> None:
    pairs = cut(list(range(200))).int()
    assert torch.equal(pairs[:, :2] + 100, pairs[:, 2:])


def test_what_is_cut_out_is_one_whole_rectangle() -> None:
    for pair in cut(list(range(200))):
        top, left, mirrored = what_was_done(pair)
        expected = places(1)[0, :, top : top + 8, left : left + 9]
        assert torch.equal(pair, expected.flip(-1) if mirrored else expected)


def test_every_place_and_both_ways_round_are_as_likely() -> None:
    number = 4000
    done = [what_was_done(pair) for pair in cut(list(range(number)))]
    tops, lefts, mirrored = (np.array(values) for values in zip(*done, strict=True))
    for values, room in ((tops, HEIGHT - 8 + 1), (lefts, WIDTH - 9 + 1), (mirrored, 2)):
        counts = np.bincount(values, minlength=room)
        assert len(counts) == room, "the last place is used, and none beyond"
        deviation = np.sqrt(number / room * (1 - 1 / room))
        assert np.abs(counts - number / room).max() < 5 * deviation
    together = np.corrcoef([tops, lefts, mirrored]) - np.eye(3)
    assert np.abs(together).max() < 5 / np.sqrt(number), "one doesn't tell of another"


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_cuts_elsewhere(change: dict[str, int]) -> None:
    assert not torch.equal(cut(list(range(20))), cut(list(range(20)), **change))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8, unique=True), st.randoms())
@settings(deadline=None, max_examples=30)
def test_a_pair_does_not_depend_on_its_company(indices: list[int], random: Any) -> None:
    alone = {index: cut([index])[0] for index in indices}
    random.shuffle(indices)
    for index, pair in zip(indices, cut(indices), strict=True):
        assert torch.equal(pair, alone[index])


def test_torchs_and_numpys_own_random_numbers_have_no_part_in_it() -> None:
    first = cut([3, 1, 4])
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state()
    assert torch.equal(cut([3, 1, 4]), first)
    assert torch.equal(torch.get_rng_state(), before), "and theirs are not used up"


def test_without_room_and_without_flip_nothing_changes() -> None:
    assert torch.equal(cut([0, 1], crop=(HEIGHT, WIDTH), flip=False), places(2))


def test_without_flip_nothing_is_mirrored() -> None:
    assert not any(what_was_done(pair)[2] for pair in cut(list(range(50)), flip=False))


def test_switching_flips_off_moves_no_crop() -> None:
    places_with = [what_was_done(pair)[:2] for pair in cut(list(range(30)))]
    assert places_with == [what_was_done(p)[:2] for p in cut(list(range(30)), flip=False)]


@pytest.mark.parametrize("crop", [(HEIGHT, 9), (8, WIDTH), (1, 1)])
def test_a_crop_may_be_as_high_or_as_wide_as_the_image_or_one_pixel(
    crop: tuple[int, int],
) -> None:
    pairs = cut(list(range(50)), crop=crop)
    assert pairs.shape == (50, 4, *crop)
    assert torch.equal(pairs[:, :2].int() + 100, pairs[:, 2:].int())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_whole_numbers_of_either_depth_stay_what_they_are(dtype: torch.dtype) -> None:
    indices = list(range(20))
    options: dict[str, Any] = {"crop": (8, 9), "flip": True, "seed": 0, "epoch": 0}
    pairs = augment(places(20, dtype), indices, **options)
    assert pairs.dtype == dtype
    assert torch.equal(pairs.int(), cut(indices).int())


def test_deep_values_are_not_cut_to_8_bits() -> None:
    deep = torch.from_numpy(np.arange(65536, dtype=np.uint16).reshape(1, 1, 256, 256))
    pair = augment(deep, [0], crop=(200, 200), flip=True, seed=0, epoch=0)
    values = pair.numpy().astype(int)
    assert (np.diff(values, axis=2) == 256).all()
    assert (np.abs(np.diff(values, axis=3)) == 1).all()


def test_what_comes_in_is_left_as_it_is() -> None:
    pairs = places(4)
    augment(pairs, [0, 1, 2, 3], crop=(8, 9), flip=True, seed=0, epoch=0)
    assert torch.equal(pairs, places(4))
