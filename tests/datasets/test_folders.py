"""Pairs in folders: which files belong together, which are left out, and what doesn't fit."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from i2i.datasets.dataset import SPLITS, Dataset, Split
from i2i.datasets.decoded import decode
from i2i.datasets.folders import Folders
from i2i.errors import DataError
from i2i.images import read, save_image

Array = NDArray[Any]
Colour = tuple[int, int, int]

RED, BLUE = (255, 0, 0), (0, 0, 255)


def paint(path: Path, colour: Colour = RED, size: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], colour).save(path)
    return path


def paint_both(path: Path, left: Colour = RED, right: Colour = BLUE) -> Path:
    """A side-by-side picture of 8 x 8 halves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (16, 8), left)
    image.paste(right, (8, 0, 16, 8))
    image.save(path)
    return path


def names(dataset: Dataset, split: Split = "train") -> list[str]:
    return [pair.name for pair in dataset.pairs(split)]


def colours(dataset: Dataset, split: Split = "train") -> list[tuple[Any, ...]]:
    """The colour in the middle of each input and target."""
    loaded = [pair.load((4, 4)) for pair in dataset.pairs(split)]
    return [tuple(tuple(image[2, 2].tolist()) for image in both) for both in loaded]


def problems(root: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        Folders(root, **options).pairs("train")
    return str(caught.value)


# Which files make pairs


def test_halves_of_one_image_are_a_pair_with_either_half_as_input(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    assert colours(Folders(tmp_path)) == [(RED, BLUE)]
    assert colours(Folders(tmp_path, input_side="right")) == [(BLUE, RED)]


def test_split_folders_are_searched_through(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    paint_both(tmp_path / "train" / "deep" / "er" / "a.jpg")
    paint_both(tmp_path / "test" / "a.BMP")
    dataset = Folders(tmp_path)
    assert names(dataset) == ["a", "deep/er/a"]
    assert names(dataset, "test") == ["a"]
    assert names(dataset, "val") == []


@pytest.mark.parametrize("layout", ["{side}/{split}", "{split}/{side}"])
def test_two_folders_are_matched_by_name_with_splits_inside_or_outside(
    tmp_path: Path, layout: str
) -> None:
    for split in SPLITS:
        for side, colour, suffix in (("sketches", RED, "png"), ("photos", BLUE, "jpeg")):
            folder = tmp_path / layout.format(side=side, split=split)
            paint(folder / "sub" / f"{split}_1.{suffix}", colour)
            paint(folder / f"{split}_0.{suffix}", colour)
    dataset = Folders(tmp_path, input_dir="sketches", target_dir="photos")
    for split in SPLITS:
        assert names(dataset, split) == [f"sub/{split}_1", f"{split}_0"]
        ((red, blue), _) = colours(dataset, split)
        assert np.abs(np.subtract((red, blue), (RED, BLUE))).max() <= 2


def test_a_seeded_fraction_splits_what_has_no_split_folders(tmp_path: Path) -> None:
    for i in range(40):
        paint(tmp_path / "in" / f"{i}.png")
        paint(tmp_path / "out" / f"{i}.png", BLUE)
    options: dict[str, Any] = {"input_dir": "in", "target_dir": "out"}
    dataset = Folders(tmp_path, val_fraction=0.25, test_fraction=0.25, **options)
    parts = [set(names(dataset, split)) for split in SPLITS]
    assert set.union(*parts) == {str(i) for i in range(40)}
    assert sum(map(len, parts)) == 40
    assert all(parts)
    paint(tmp_path / "in" / "new.png")
    paint(tmp_path / "out" / "new.png", BLUE)
    larger = Folders(tmp_path, val_fraction=0.25, test_fraction=0.25, **options)
    for split, part in zip(SPLITS, parts, strict=True):
        assert set(names(larger, split)) - {"new"} == part
    assert len(names(Folders(tmp_path, val_fraction=0, test_fraction=0, **options))) == 41
    other = Folders(tmp_path, val_fraction=0.25, test_fraction=0.25, split_seed=1, **options)
    assert set(names(other)) - {"new"} != parts[0]


def test_side_by_side_images_without_split_folders_are_split_too(tmp_path: Path) -> None:
    for i in range(30):
        paint_both(tmp_path / "some" / f"{i}.png")
    dataset = Folders(tmp_path, val_fraction=0.3, test_fraction=0.3)
    found = [name for split in SPLITS for name in names(dataset, split)]
    assert sorted(found) == sorted(f"some/{i}" for i in range(30))


def test_files_that_are_no_images_are_passed_over(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    for name in (
        "Thumbs.db",
        "notes.txt",
        ".DS_Store",
        "._a.png",
        ".hidden.jpg",
        "a.json",
        "b.svg",
    ):
        (tmp_path / "train" / name).write_text("<html>")
    (tmp_path / "train" / "folder.png").mkdir()
    paint_both(tmp_path / "train" / ".ipynb_checkpoints" / "a-checkpoint.png")
    assert names(Folders(tmp_path)) == ["a"]


def test_pairs_know_their_files(tmp_path: Path) -> None:
    paint(tmp_path / "in" / "train" / "a.png")
    paint(tmp_path / "out" / "train" / "a.jpg")
    (pair,) = Folders(tmp_path, input_dir="in", target_dir="out").pairs("train")
    assert pair.files == (tmp_path / "in/train/a.png", tmp_path / "out/train/a.jpg")


# What doesn't fit


def test_everything_that_does_not_match_is_listed_together(tmp_path: Path) -> None:
    inputs, targets = tmp_path / "in", tmp_path / "out"
    for split in ("train", "test"):
        for stem in ("good", "small", "twice", "moving"):
            paint(inputs / split / f"{stem}.png")
            paint(targets / split / f"{stem}.png")
        paint(inputs / split / "left.png")
        paint(targets / split / "right.png")
        paint(targets / split / "small.png", size=(8, 9))
        paint(targets / split / "twice.jpg")
        (targets / split / "moving.png").unlink()
        frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
        frames[0].save(targets / split / "moving.gif", save_all=True, append_images=frames[1:])
    said = problems(tmp_path, input_dir="in", target_dir="out").splitlines()
    for split in ("train", "test"):
        for file, reason in (
            (inputs / split / "left.png", "no partner"),
            (targets / split / "right.png", "no partner"),
            (inputs / split / "small.png", "8x8.*8x9"),
            (targets / split / "twice.png", "twice.jpg|same name"),
            (targets / split / "moving.gif", "2 frames"),
        ):
            assert any(str(file) in line and re.search(reason, line) for line in said), (file, said)
    assert len(said) == 10
    assert not any("good" in line for line in said)


def test_everything_wrong_with_side_by_side_images_is_listed_together(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "train"
    paint_both(folder / "good.png")
    paint_both(folder / "twice.png")
    paint_both(folder / "twice.jpg")
    paint(folder / "odd.png", size=(8, 15))
    frames = [Image.new("RGB", (16, 8), colour) for colour in (RED, BLUE)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    (folder / "away.png").symlink_to(paint_both(tmp_path / "secret.png"))
    said = problems(tmp_path / "root").splitlines()
    for name, reason in (
        ("twice", "same name"),
        ("odd.png", "15 pixels wide"),
        ("moving.gif", "2 frames"),
        ("away.png", "leads out"),
    ):
        assert any(name in line and reason in line for line in said), (name, said)
    assert len(said) == 4


def test_a_side_by_side_image_of_odd_width_has_no_halves(tmp_path: Path) -> None:
    paint(tmp_path / "train" / "odd.png", size=(8, 15))
    paint(tmp_path / "test" / "odder.png", size=(8, 17))
    said = problems(tmp_path)
    assert "odd.png" in said
    assert "odder.png" in said
    assert "15" in said


def test_exif_orientation_is_applied_before_sizes_are_compared(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "in" / "train").mkdir(parents=True)
    Image.new("RGB", (12, 8), RED).save(tmp_path / "in/train/a.jpg", exif=exif)
    target = paint(tmp_path / "out" / "train" / "a.png", size=(12, 8))
    assert names(Folders(tmp_path, input_dir="in", target_dir="out")) == ["a"]
    paint(target, size=(8, 12))
    assert "a.jpg" in problems(tmp_path, input_dir="in", target_dir="out")


def test_unreadable_files_are_left_to_be_found_by_decoding(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    (tmp_path / "train" / "empty.jpg").touch()
    (tmp_path / "train" / "page.jpg").write_text("<html>404</html>")
    dataset = Folders(tmp_path)
    assert names(dataset) == ["a", "empty", "page"]
    for pair, reason in zip(dataset.pairs("train")[1:], ("empty", "HTML"), strict=True):
        with pytest.raises(DataError, match=reason):
            pair.load((8, 8))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"input_dir": "in"}, "target_dir"),
        ({"target_dir": "in"}, "input_dir"),
        ({"input_dir": "in", "target_dir": "none"}, "none"),
        ({"input_mode": "labels"}, "input_classes"),
        ({"target_classes": 3}, "target_classes"),
    ],
)
def test_options_that_do_not_fit_together_say_which(
    tmp_path: Path, options: dict[str, Any], reason: str
) -> None:
    paint(tmp_path / "in" / "a.png")
    with pytest.raises(DataError, match=reason):
        Folders(tmp_path, **options).pairs("train")


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none") in problems(tmp_path / "none")


def test_a_root_without_images_says_so(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    assert "no images" in problems(tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere", "/", "in/../.."])
def test_folders_outside_of_the_root_are_refused(tmp_path: Path, name: str) -> None:
    paint(tmp_path / "elsewhere" / "a.png")
    paint(tmp_path / "root" / "in" / "a.png")
    with pytest.raises(DataError, match=r"data\.target_dir: .*(leads out|relative)"):
        Folders(tmp_path / "root", input_dir="in", target_dir=name).pairs("train")


def test_links_out_of_the_root_are_refused_and_links_inside_are_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    original = paint_both(root / "train" / "a.png")
    (root / "train" / "b.png").symlink_to(original)
    assert names(Folders(root)) == ["a", "b"]
    (root / "train" / "c.png").symlink_to(paint_both(tmp_path / "secret.png"))
    assert "c.png" in problems(root)


def test_a_split_folder_that_is_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    paint_both(tmp_path / "elsewhere" / "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "train").symlink_to(tmp_path / "elsewhere")
    assert "leads out" in problems(tmp_path / "root")


def test_a_linked_folder_is_never_passed_over_in_silence(tmp_path: Path) -> None:
    paint_both(tmp_path / "root" / "train" / "a.png")
    paint_both(tmp_path / "elsewhere" / "b.png")
    link = tmp_path / "root" / "train" / "more"
    link.symlink_to(tmp_path / "elsewhere")
    assert "more" in problems(tmp_path / "root")
    link.unlink()
    link.symlink_to(tmp_path / "root")
    assert "more" in problems(tmp_path / "root")


# How they are read


def test_label_maps_become_one_channel_a_class(tmp_path: Path) -> None:
    labels = np.array([[0, 1], [2, 1]], np.uint8).repeat(2, 0).repeat(2, 1)
    (tmp_path / "in" / "train").mkdir(parents=True)
    image = Image.fromarray(labels, "P")
    image.putpalette([9, 9, 9, 200, 9, 9, 9, 200, 9])
    image.save(tmp_path / "in/train/a.png")
    paint(tmp_path / "out" / "train" / "a.png", BLUE, (4, 4))
    options: dict[str, Any] = {"input_dir": "in", "target_dir": "out", "input_mode": "labels"}
    dataset = Folders(tmp_path, input_classes=3, **options)
    assert (dataset.input_channels, dataset.target_channels) == (3, 3)
    (pair,) = dataset.pairs("train")
    one_hot, _ = pair.load((8, 8))
    assert one_hot.dtype == np.uint8
    assert (one_hot.sum(axis=2) == 255).all()
    np.testing.assert_array_equal(one_hot.argmax(axis=2), labels.repeat(2, 0).repeat(2, 1))
    (pair,) = Folders(tmp_path, input_classes=2, **options).pairs("train")
    with pytest.raises(DataError, match=r"label.* 2"):
        pair.load((8, 8))


def test_label_maps_fill_the_range_at_full_depth(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    labels = np.tile(np.array([0, 1], np.uint8), (4, 4))
    np.save(tmp_path / "train" / "a.npy", labels)
    dataset = Folders(tmp_path, input_mode="labels", target_mode="gray", input_classes=2, depth=16)
    ((one_hot, _),) = (pair.load((4, 4)) for pair in dataset.pairs("train"))
    assert one_hot.dtype == dataset.dtype == np.uint16
    np.testing.assert_array_equal(one_hot[..., 1], labels[:, :4] * np.uint16(65535))


def test_channels_are_counted_from_the_first_image(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "in" / "train").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "in" / "train" / f"{name}.npy", np.zeros((8, 8, 6), np.uint8))
        paint(tmp_path / "out" / "train" / f"{name}.png")
    dataset = Folders(
        tmp_path, input_dir="in", target_dir="out", input_mode="channels", target_mode="gray"
    )
    assert (dataset.input_channels, dataset.target_channels) == (6, 1)
    image, target = dataset.pairs("train")[1].load((5, 7))
    assert (image.shape, target.shape) == ((5, 7, 6), (5, 7, 1))


@pytest.mark.parametrize("others", [(4, 3), (3, 3), (3, 5)])
def test_images_with_other_channels_than_the_first_are_told_apart(
    tmp_path: Path, others: tuple[int, int]
) -> None:
    for name, counts in (("a", (3, 4)), ("b", others)):
        for side, count in zip(("in", "out"), counts, strict=True):
            (tmp_path / side / "train").mkdir(parents=True, exist_ok=True)
            np.save(tmp_path / side / "train" / f"{name}.npy", np.zeros((8, 8, count), np.uint8))
    dataset = Folders(
        tmp_path,
        input_dir="in",
        target_dir="out",
        input_mode="channels",
        target_mode="channels",
    )
    with pytest.raises(DataError, match=r"^b: its (input|target) is 8x8x\d "):
        decode(dataset, "train", (8, 8))
    assert decode(dataset, "train", (8, 8), on_bad="skip").names == ("a",)


def test_full_depth_is_kept_to_the_pair(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    for side in ("in", "out"):
        (tmp_path / side / "train").mkdir(parents=True)
        Image.fromarray(ramp).save(tmp_path / side / "train" / "a.png")
    options: dict[str, Any] = {"input_dir": "in", "target_dir": "out", "target_mode": "gray"}
    dataset = Folders(tmp_path, depth=16, **options)
    assert dataset.dtype == np.uint16
    ((_, target),) = (pair.load((8, 8)) for pair in dataset.pairs("train"))
    np.testing.assert_array_equal(target[..., 0], ramp)
    ((_, target),) = (pair.load((8, 8)) for pair in Folders(tmp_path, **options).pairs("train"))
    assert target.dtype == np.uint8
    assert (target.min(), target.max()) == (0, 255)


def test_the_declared_background_shows_through(tmp_path: Path) -> None:
    for side in ("in", "out"):
        (tmp_path / side / "train").mkdir(parents=True)
        Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(tmp_path / side / "train" / "a.png")
    dataset = Folders(tmp_path, input_dir="in", target_dir="out", background="lime")
    assert colours(dataset) == [((0, 255, 0), (0, 255, 0))]


def test_a_background_that_is_no_colour_is_refused_at_once(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    with pytest.raises(DataError, match="nope"):
        Folders(tmp_path, background="nope")


def test_a_range_without_extent_is_refused_at_once(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    with pytest.raises(DataError, match=r"data\.float_range"):
        Folders(tmp_path, float_range=(1.0, 1.0))


def test_pairs_are_resized_to_any_shape(tmp_path: Path) -> None:
    paint_both(tmp_path / "train" / "a.png")
    ((image, target),) = (pair.load((6, 10)) for pair in Folders(tmp_path).pairs("train"))
    assert image.shape == target.shape == (6, 10, 3)
    assert (image == RED).all(), "the halves are cut before they are resized"
    assert (target == BLUE).all()


# Digests


def test_a_digest_follows_the_contents_and_how_they_are_read(tmp_path: Path) -> None:
    path = paint_both(tmp_path / "train" / "a.png")

    def digest(**options: Any) -> bytes:
        ((_digest),) = (pair.digest() for pair in Folders(tmp_path, **options).pairs("train"))
        return _digest

    first = digest()
    assert len(first) == 32
    assert digest() == first
    assert (
        len({first, digest(input_side="right"), digest(input_mode="gray"), digest(depth=16)}) == 4
    )
    paint_both(path, right=RED)
    assert digest() != first


def test_a_digest_does_not_follow_the_place(tmp_path: Path) -> None:
    digests = set()
    for home in ("one", "other"):
        paint_both(tmp_path / home / "train" / "a.png")
        digests |= {pair.digest() for pair in Folders(tmp_path / home).pairs("train")}
    assert len(digests) == 1


# The real thing


def test_the_real_facades_are_read_with_their_label_maps_on_the_right(real_facades: Path) -> None:
    dataset = Folders(real_facades, input_side="right")
    assert [len(dataset.pairs(split)) for split in SPLITS] == [400, 100, 106]
    pair = dataset.pairs("test")[0]
    whole = read(pair.files[0])
    image, target = pair.load((256, 256))
    np.testing.assert_array_equal(image, whole[:, 256:])
    np.testing.assert_array_equal(target, whole[:, :256])


def test_a_pair_written_as_images_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (8, 16, 3), dtype=np.uint8)
    save_image(whole, tmp_path / "train" / "a")
    ((image, target),) = (pair.load((8, 8)) for pair in Folders(tmp_path).pairs("train"))
    np.testing.assert_array_equal(np.hstack([image, target]), whole)


def test_digests_are_those_of_version_0_1_so_that_its_runs_resume(tmp_path: Path) -> None:
    """The same files were digested by version 0.1 to these."""
    for split, seed in (("train", 0), ("val", 1)):
        (tmp_path / split).mkdir()
        pair = np.random.default_rng(seed).integers(0, 256, (8, 16, 3), np.uint8)
        np.save(tmp_path / split / "pair.npy", pair)
    plain = Folders(tmp_path)
    assert decode(plain, "train", (8, 8)).fingerprint.startswith("095d94bd7826724e")
    assert decode(plain, "val", (8, 8)).fingerprint.startswith("79308f7505b68428")
    gray = Folders(tmp_path, input_side="right", input_mode="gray")
    assert decode(gray, "train", (8, 8)).fingerprint.startswith("f38331ea2b3c3bf9")
