"""What the names of folders tell: splits and sides are recognised and said, or refused."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from i2i.datasets.dataset import SPLITS, Split
from i2i.datasets.folders import Folders
from i2i.errors import DataError
from i2i.recipe import Recipe
from i2i.run_folder import RunFolder
from i2i.runs.run import run
from i2i.translation.translate import translate
from tests.processes import Run

GREEN, BLACK = (0, 255, 0), (0, 0, 0)


def fill(root: Path, *folders: str, first: int = 0, count: int = 3) -> None:
    """Make pictures in folders: green for the inputs, black for the targets."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for i in range(first, first + count):
            colour = GREEN if folder.casefold().split("_")[-1] in INPUTS else BLACK
            Image.new("RGB", (8, 8), colour).save(root / folder / f"{i}.png")


INPUTS = ("a", "traina", "testa", "vala", "input", "source", "in")


def counts(dataset: Folders) -> dict[Split, int]:
    return {split: len(dataset.pairs(split)) for split in SPLITS}


def refused(root: Path, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        Folders(root, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("Train", "Val", "Test"),
        ("training", "validation", "testing"),
        ("TRAIN", "valid", "TEST"),
        ("train", "Dev", "test"),
    ],
)
def test_splits_are_recognised_by_their_usual_names(
    tmp_path: Path, train: str, val: str, test: str
) -> None:
    for folder, count in ((train, 4), (val, 2), (test, 1)):
        fill(tmp_path, folder, count=count)
    dataset = Folders(tmp_path)
    assert counts(dataset) == {"train": 4, "val": 2, "test": 1}
    for split, folder in (("train", train), ("val", val), ("test", test)):
        assert f"{split} from {folder}" in dataset.remarks[0]
    assert "side by side" in dataset.remarks[0]


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        ("Training_A", "Training_B"),
        ("train-input", "train-target"),
        ("Train.source", "Train.Target"),
        ("a_train", "b_train"),
        ("A/Training", "B/training"),
        ("train/input", "train/output"),
        ("Train/IN", "Train/Out"),
    ],
)
def test_sides_of_a_split_are_recognised_inside_above_and_in_one_name(
    tmp_path: Path, inputs: str, targets: str
) -> None:
    fill(tmp_path, inputs, targets)
    dataset = Folders(tmp_path)
    assert counts(dataset) == {"train": 3, "val": 0, "test": 0}
    assert dataset.input_half is None
    assert f"train from {inputs} (input) and {targets} (target)" in dataset.remarks[0]
    for pair in dataset.pairs("train"):
        assert [str(file.parent.relative_to(tmp_path)) for file in pair.files] == [inputs, targets]


@pytest.mark.parametrize(("inputs", "targets"), [("a", "b"), ("Source", "Target"), ("in", "out")])
def test_sides_without_splits_are_pairs_that_are_split_by_name(
    tmp_path: Path, inputs: str, targets: str
) -> None:
    fill(tmp_path, inputs, targets, count=20)
    dataset = Folders(tmp_path)
    assert sum(counts(dataset).values()) == 20
    assert all(len(pair.files) == 2 for pair in dataset.pairs("train"))
    assert f"from {inputs} (input) and {targets} (target), split by a hash" in dataset.remarks[0]
    explicit = Folders(tmp_path, input_dir=targets, target_dir=inputs)
    assert explicit.pairs("train")[0].files[0].parent.name == targets


def test_every_split_has_its_own_sides(tmp_path: Path) -> None:
    fill(tmp_path, "trainA", "trainB", count=4)
    fill(tmp_path, "valA", "valB", count=2)
    fill(tmp_path, "testA", "testB", count=1)
    assert counts(Folders(tmp_path)) == {"train": 4, "val": 2, "test": 1}


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("train", "val", "Validation"), ["val", "Validation"]),
        (("train", "training"), ["train", "training"]),
        (("A/test", "A/testing", "B/test"), ["test", "testing"]),
        (("trainA", "train_A", "trainB"), ["trainA", "train_A"]),
        (("trainA", "trainB", "testA"), ["testA", "testB"]),
        (("A", "B", "train"), ['data.input_dir = "A"', 'data.target_dir = "B"']),
        (("input", "A", "target"), ['data.input_dir = "A"', 'data.target_dir = "target"']),
        (("train/A", "train/B", "test"), ["train", "test"]),
        (("maps/train", "maps/test"), ['data.root = "{root}/maps"']),
        (("facades/A", "facades/B"), ['data.root = "{root}/facades"']),
        (("edges", "shoes"), ['data.input_dir = "edges"', "data.side_by_side = true"]),
        (("train/edges", "train/shoes"), ['data.target_dir = "shoes"']),
        (("labels", "b"), ['data.input_dir = "labels" and data.target_dir = "b"']),
        (("A/city/test", "A/city/train", "B/city/test", "B/city/train"), ["A/city"]),
    ],
)
def test_what_is_ambiguous_is_refused_with_what_settles_it(
    tmp_path: Path, folders: tuple[str, ...], words: list[str]
) -> None:
    fill(tmp_path, *folders)
    said = refused(tmp_path)
    for word in words:
        assert word.format(root=tmp_path) in said


def test_the_lines_that_settle_it_settle_it(tmp_path: Path) -> None:
    fill(tmp_path, "train/edges", "train/shoes", "A")
    assert 'data.input_dir = "edges"' in refused(tmp_path)
    dirs = {"input_dir": "edges", "target_dir": "shoes"}
    assert counts(Folders(tmp_path, **dirs))["train"] == 3
    assert counts(Folders(tmp_path, side_by_side=True))["train"] == 6
    fill(tmp_path, "B")
    assert "side_by_side" in refused(tmp_path)
    assert counts(Folders(tmp_path, side_by_side=True))["train"] == 6
    sides = Folders(tmp_path, input_dir="A", target_dir="B")
    assert sum(counts(sides).values()) == 3


def test_options_about_the_layout_may_not_contradict_each_other(tmp_path: Path) -> None:
    fill(tmp_path, "A", "B", "x")
    assert "side_by_side" in refused(tmp_path, side_by_side=True, input_dir="A", target_dir="B")
    assert "input_dir" in refused(tmp_path / "x", side_by_side=False)


def test_folders_with_other_files_or_many_folders_stay_pairs_side_by_side(tmp_path: Path) -> None:
    fill(tmp_path / "one", "cats")
    fill(tmp_path / "one", "dogs", first=10)
    assert sum(counts(Folders(tmp_path / "one")).values()) == 6
    fill(tmp_path / "two", *(f"scene{i}" for i in range(5)))
    assert sum(counts(Folders(tmp_path / "two")).values()) == 15


def test_images_outside_of_the_splits_are_told(tmp_path: Path) -> None:
    fill(tmp_path, "train", "raw", ".")
    (tmp_path / "train" / "IMG_7.heic").touch()
    dataset = Folders(tmp_path)
    assert counts(dataset)["train"] == 3
    assert any("6 images in other folders" in remark for remark in dataset.remarks)
    assert any("train/IMG_7.heic" in remark for remark in dataset.remarks)
    assert not any(str(tmp_path) in remark for remark in dataset.remarks)


def test_partners_may_differ_in_the_unicode_form_of_their_names(tmp_path: Path) -> None:
    for side, form in (("in", "NFD"), ("out", "NFC")):
        fill(tmp_path, side, count=1)
        name = unicodedata.normalize(form, "Å ü")
        (tmp_path / side / "0.png").rename(tmp_path / side / f"{name}.png")
    (pair,) = (pair for split in SPLITS for pair in Folders(tmp_path).pairs(split))
    assert pair.name == unicodedata.normalize("NFC", "Å ü")
    (tmp_path / "in" / f"{pair.name}.jpg").touch()
    assert "same name" in refused(tmp_path)


# What i2i wrote


@pytest.mark.parametrize("place", ["out", "results/first"])
def test_runs_and_translations_in_the_data_are_left_out(
    tmp_path: Path, tiny_recipe: Callable[..., Recipe], trained: Path, place: str
) -> None:
    for i in range(12):
        Image.effect_noise((80, 40), 50).convert("RGB").save(tmp_path / f"{i}.png")
    recipe = tiny_recipe(data={"type": "folders", "root": str(tmp_path)}, train={"max_steps": 2})
    before = counts(Folders(tmp_path))
    run(recipe, out=tmp_path / place, quiet=True)
    translate(trained, [tmp_path / "1.png", tmp_path / "2.png"], tmp_path / "translated")
    dataset = Folders(tmp_path)
    assert counts(dataset) == before
    (told,) = (remark for remark in dataset.remarks if "that i2i wrote" in remark)
    assert "2 folders" in told
    assert place in told
    assert "translated" in told
    assert list(RunFolder(tmp_path / place).path.rglob("*.png"))


def test_a_folder_that_is_data_and_run_at_once_keeps_its_data(
    tmp_path: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    for i in range(12):
        Image.effect_noise((80, 40), 50).convert("RGB").save(tmp_path / f"{i}.png")
    recipe = tiny_recipe(data={"type": "folders", "root": str(tmp_path)}, train={"max_steps": 2})
    before = counts(Folders(tmp_path))
    run(recipe, out=tmp_path, quiet=True)
    assert counts(Folders(tmp_path)) == before
    run(recipe, out=tmp_path, quiet=True, resume=True)


@pytest.mark.parametrize("mark", ["study.json", ".lock"])
def test_the_images_of_a_study_s_records_are_left_out(tmp_path: Path, mark: str) -> None:
    fill(tmp_path, "mine", "studies/first/records", first=20)
    (tmp_path / "studies/first" / mark).touch()
    dataset = Folders(tmp_path)
    assert sum(counts(dataset).values()) == 3
    assert any("studies/first" in remark for remark in dataset.remarks)


def test_a_folder_that_only_has_a_recipe_is_data(tmp_path: Path) -> None:
    fill(tmp_path, "mine")
    (tmp_path / "mine" / "recipe.toml").touch()
    assert sum(counts(Folders(tmp_path)).values()) == 3


def test_run_and_check_say_what_was_recognised(
    i2i: Callable[..., Run], tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    for folder in ("data/Training", "data/dev", "data/Testing"):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(4):
            picture = Image.effect_noise((80, 40), 50).convert("RGB")
            picture.save(tmp_path / folder / f"{i}.png")
    recipe = write_recipe(data={"type": "folders", "root": "data"}, train={"max_steps": 2})
    for command in ("check", "run"):
        said = i2i(command, recipe).wait()
        assert said.status == 0, said.output
        assert "train from Training; val from dev; test from Testing" in said.output
    assert "val from dev" in (tmp_path / "runs/tiny/environment.json").read_text()
    assert "val from dev" in (tmp_path / "runs/tiny/report.html").read_text()
