"""Procedural facades: the same everywhere, in the real colours, with pictures that follow."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from i2i.datasets.dataset import SPLITS
from i2i.datasets.decoded import decode
from i2i.datasets.synthetic import CLASSES, Synthetic
from i2i.images import read

Array = NDArray[Any]
PALETTE = np.array(list(CLASSES.values()))


def load(
    dataset: Synthetic, index: int = 0, size: tuple[int, int] = (64, 64)
) -> tuple[Array, Array]:
    return dataset.pairs("train")[index].load(size)


def test_there_are_as_many_pairs_as_asked_for() -> None:
    assert [len(Synthetic().pairs(split)) for split in SPLITS] == [400, 100, 106]
    dataset = Synthetic(train=3, val=0, test=1)
    assert [len(dataset.pairs(split)) for split in SPLITS] == [3, 0, 1]
    assert len({pair.name for pair in Synthetic().pairs("train")}) == 400


@pytest.mark.parametrize("size", [(64, 64), (16, 16), (33, 70), (256, 128), (1, 1)])
def test_pairs_come_at_any_size(size: tuple[int, int]) -> None:
    for image in load(Synthetic(), size=size):
        assert image.shape == (*size, 3)
        assert image.dtype == np.uint8


def test_label_maps_hold_the_twelve_colours_and_no_others() -> None:
    assert len(CLASSES) == 12
    seen: set[tuple[int, ...]] = set()
    for index in range(40):
        label, _ = load(Synthetic(), index)
        seen |= {tuple(colour) for colour in label.reshape(-1, 3).tolist()}
    assert seen == set(CLASSES.values())


def test_the_colours_are_those_of_the_real_label_maps(real_facades: Path) -> None:
    files = sorted((real_facades / "train").glob("*.jpg"))[::40]
    labels = np.concatenate([read(file)[:, 256:].reshape(-1, 3) for file in files]).astype(int)
    distances = np.abs(labels[:, None] - PALETTE).max(axis=2)
    near = distances.min(axis=1) <= 20
    assert near.mean() > 0.7
    for place in np.unique(distances.argmin(axis=1)[near]):
        own = labels[near & (distances.argmin(axis=1) == place)]
        assert np.abs(np.median(own, axis=0) - PALETTE[place]).max() <= 12


def test_pairs_follow_from_seed_split_and_index_alone() -> None:
    first = load(Synthetic(train=5), 3)
    again = load(Synthetic(train=50), 3)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    others = [
        load(Synthetic(), 4),
        load(Synthetic(seed=1), 3),
        Synthetic().pairs("test")[3].load((64, 64)),
    ]
    assert all((first[0] != other[0]).any() for other in others)


def test_another_process_draws_the_same() -> None:
    code = (
        "from i2i.datasets.decoded import decode; from i2i.datasets.synthetic import Synthetic;"
        "import hashlib; d = decode(Synthetic(train=4), 'train', (48, 32));"
        "print(hashlib.sha256(d.array.tobytes()).hexdigest())"
    )
    import hashlib

    here = hashlib.sha256(decode(Synthetic(train=4), "train", (48, 32)).array.tobytes())
    there = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert there.strip() == here.hexdigest()


def test_the_direction_exchanges_input_and_target() -> None:
    label, photo = load(Synthetic())
    other, one = load(Synthetic(direction="photo_to_label"))
    np.testing.assert_array_equal(label, one)
    np.testing.assert_array_equal(photo, other)


def test_the_building_is_the_same_at_every_size() -> None:
    for index in range(5):
        small, large = (load(Synthetic(), index, (side, side))[0] for side in (64, 256))
        agree = (large[2::4, 2::4] == small).all(axis=2).mean()
        assert agree > 0.85


def test_the_picture_follows_the_label_map() -> None:
    within, between = [], []
    for index in range(20):
        label, photo = load(Synthetic(), index, (128, 128))
        kinds = (label[:, :, None] == PALETTE).all(axis=3).argmax(axis=2)
        wall, window = photo[kinds == 1].mean(axis=0), photo[kinds == 2].mean(axis=0)
        between.append(np.abs(wall - window).mean())
        within.append(photo[kinds == 1].std())
    assert np.mean(between) > 25
    assert np.mean(between) > np.mean(within)


def test_buildings_differ() -> None:
    photos = [load(Synthetic(), index)[1].astype(int) for index in range(12)]
    gaps = [np.abs(a - b).mean() for i, a in enumerate(photos) for b in photos[:i]]
    assert min(gaps) > 5


def test_digests_tell_pairs_apart() -> None:
    digests = {
        pair.digest()
        for dataset in (Synthetic(), Synthetic(seed=1), Synthetic(direction="photo_to_label"))
        for split in SPLITS
        for pair in dataset.pairs(split)
    }
    assert len(digests) == 3 * 606
