"""Data without pairs: which images there are, which meet, and what folders mean."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.datasets.folders import Folders
from i2i.datasets.halved import Halved
from i2i.datasets.loader import Loader
from i2i.datasets.synthetic import Synthetic
from i2i.datasets.unpaired import Unpaired, decode_unpaired
from i2i.errors import DataError, RecipeError
from i2i.recipe import Recipe
from i2i.recipe.assemble import assemble_dataset


def images(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate(names):
        Image.fromarray(np.full((16, 16, 3), 10 * i, np.uint8)).save(folder / f"{name}.png")


def names(dataset: Folders, split: Any) -> tuple[list[str], list[str]]:
    inputs, targets = dataset.singles(split)
    return [each.name for each in inputs], [each.name for each in targets]


def halved(train: int = 9) -> Unpaired:
    return decode_unpaired(Halved(Synthetic(train=train, val=2, test=2)), "train", (16, 16))


@pytest.mark.parametrize("number", [2, 3, 10])
def test_halves_of_pairs_share_no_pair_and_leave_none_out(number: int) -> None:
    pairs = Synthetic(train=number, val=2, test=2)
    dataset = Halved(pairs)
    inputs, targets = ({each.name for each in side} for side in dataset.singles("train"))
    assert inputs | targets == {pair.name for pair in pairs.pairs("train")}
    assert not inputs & targets
    assert abs(len(inputs) - len(targets)) <= 1
    assert dataset.pairs("train") == []
    assert len(dataset.pairs("test")) == 2


def test_names_that_are_not_utf8_are_divided_too(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    images(folder, ["plain"])
    (folder / "plain.png").rename(folder / "entr\udce9e.png")
    inputs, targets = Halved(Folders(tmp_path)).singles("train")
    assert [each.name for each in inputs + targets] == ["entr\udce9e"]


def test_sides_are_those_of_the_pairs() -> None:
    whole = {p.name: p.load((16, 16)) for p in Synthetic(train=9, val=2, test=2).pairs("train")}
    decoded = halved()
    for place, side in enumerate((decoded.inputs, decoded.targets)):
        for name, image in zip(side.names, side.array, strict=True):
            np.testing.assert_array_equal(image.transpose(1, 2, 0), whole[name][place])


def test_an_epoch_has_each_image_of_the_longer_side_once() -> None:
    decoded = halved()
    loader = Loader(decoded, batch_size=1, crop=(16, 16), flip=False, seed=0, workers=0)
    batches = loader.batches()
    assert loader.steps_per_epoch == 5 == len(decoded.inputs)
    for _ in range(3):
        seen = Counter(next(batches).names[0] for _ in range(5))
        assert seen == Counter(decoded.inputs.names)


def test_who_meets_whom_depends_on_seed_epoch_and_index_only() -> None:
    decoded = halved(40)
    drawn = {(e, i): decoded.drawn(0, e, i) for e in range(20) for i in range(20)}
    assert drawn == {key: halved(40).drawn(0, *key) for key in drawn}
    assert all(index == i for (_, i), (index, _) in drawn.items())
    assert drawn[0, 0] != drawn[1, 0] or drawn[0, 1] != drawn[1, 1]
    partners = Counter(partner for _, partner in drawn.values())
    assert len(partners) == 20
    assert max(partners.values()) < 40


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_that_starts_late_gives_the_same_batches(workers: int) -> None:
    options: dict[str, Any] = {"batch_size": 2, "crop": (12, 12), "flip": True, "seed": 3}
    whole = Loader(halved(), workers=workers, **options).batches()
    expected = [next(whole) for _ in range(7)][4:]
    late = Loader(halved(), workers=workers, **options).batches(4)
    for one in expected:
        other = next(late)
        assert (one.names, one.target_names) == (other.names, other.target_names)
        assert torch.equal(one.input, other.input)
        assert torch.equal(one.target, other.target)


def test_two_ranks_share_a_batch() -> None:
    options: dict[str, Any] = {"batch_size": 4, "crop": (12, 12), "flip": True, "seed": 3}
    whole = next(Loader(halved(), workers=0, **options).batches())
    parts = [
        next(Loader(halved(), workers=0, rank=rank, ranks=2, **options).batches())
        for rank in range(2)
    ]
    assert torch.equal(whole.input, torch.cat([part.input for part in parts]))
    assert torch.equal(whole.target, torch.cat([part.target for part in parts]))
    assert whole.target_names == parts[0].target_names + parts[1].target_names


def test_folders_without_common_names_are_unpaired(tmp_path: Path) -> None:
    images(tmp_path / "trainA", ["horse1", "horse2", "horse3"])
    images(tmp_path / "trainB", ["zebra1", "zebra2"])
    images(tmp_path / "testA", ["horse9"])
    images(tmp_path / "testB", ["zebra9"])
    dataset = Folders(tmp_path)
    assert not dataset.paired
    assert names(dataset, "train") == (["horse1", "horse2", "horse3"], ["zebra1", "zebra2"])
    assert names(dataset, "test") == (["horse9"], ["zebra9"])
    assert dataset.remarks[0].startswith("unpaired in train, test")


def test_a_test_split_may_have_pairs_although_the_training_has_none(tmp_path: Path) -> None:
    images(tmp_path / "trainA", ["a", "b"])
    images(tmp_path / "trainB", ["c", "d"])
    images(tmp_path / "testA", ["e"])
    images(tmp_path / "testB", ["e"])
    dataset = Folders(tmp_path)
    assert [pair.name for pair in dataset.pairs("test")] == ["e"]
    assert names(dataset, "test") == ([], [])


def test_folders_with_some_common_names_need_a_word(tmp_path: Path) -> None:
    images(tmp_path / "trainA", ["1", "2"])
    images(tmp_path / "trainB", ["2", "3"])
    with pytest.raises(DataError, match="has no partner"):
        Folders(tmp_path)
    dataset = Folders(tmp_path, paired=False)
    assert names(dataset, "train") == (["1", "2"], ["2", "3"])


def test_an_empty_side_is_told(tmp_path: Path) -> None:
    images(tmp_path / "trainA", ["1"])
    (tmp_path / "trainB").mkdir()
    with pytest.raises(DataError, match="trainB: there are no images in it"):
        Folders(tmp_path)


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"trainA": ["a"], "trainB": ["b"]}, r"method 'pix2pix' of i2i.methods needs pairs"),
    ],
)
def test_unpaired_data_in_a_paired_method_are_told(
    tiny_recipe: Callable[..., Recipe],
    tmp_path: Path,
    sides: Mapping[str, list[str]],
    words: str,
) -> None:
    for folder, own in sides.items():
        images(tmp_path / folder, own)
    recipe = tiny_recipe(data={"type": "folders", "root": str(tmp_path)})
    with pytest.raises(RecipeError, match=words):
        assemble_dataset(recipe)
