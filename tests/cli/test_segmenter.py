"""`i2i segmenter` as a user sees it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from i2i.cli import main
from i2i.datasets.synthetic import Synthetic
from i2i.images import save_image
from i2i.metrics.segmentation import SegScore
from i2i.segmentation.network import load_segmenter
from i2i.system.cache import cache_dir
from tests.processes import Run
from tests.segmenters import SMALL

Start = Callable[..., Run]

SETTINGS = {
    "data.train": 16,
    "data.val": 4,
    "augment.crop_size": 32,
    "train.device": "cpu",
    **{f"segmenter.{key}": str(value).lower() for key, value in SMALL.items()},
}
SMALL_SYNTHETIC = ["synthetic", *(f"--set={key}={value}" for key, value in SETTINGS.items())]


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def test_a_data_set_by_name_is_trained_on_and_kept_for_seg_score(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert called("segmenter", "train", *SMALL_SYNTHETIC, "--epochs", 2) == 0
    told = capsys.readouterr().out
    path = cache_dir() / "segmenters" / "synthetic.safetensors"
    assert "epoch 2/2  loss" in told
    assert "validation: per-pixel" in told
    assert f"written to {path}" in told
    assert "seg_score:segmenter=synthetic" in told
    assert SegScore(segmenter="synthetic").settings()["size"] == [32, 32]


def test_a_recipe_gives_data_sizes_and_the_network(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(segmenter={**SMALL, "epochs": 1})
    out = tmp_path / "mine.safetensors"
    assert called("segmenter", "train", recipe, "--out", out, "--quiet") == 0
    assert capsys.readouterr().out == ""
    kept = load_segmenter(out)
    assert kept.size == (32, 32)
    assert kept.notes["data"]["photos"] == 12
    assert kept.notes["augment"]["load_size"] == 36
    assert not (cache_dir() / "segmenters").exists()


def test_a_folder_is_taken_as_one_of_facades(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Synthetic(train=8, val=2, test=0)
    for split in ("train", "val"):
        for pair in data.pairs(split):
            labels, photo = pair.load((32, 32))
            save_image(
                np.concatenate([photo, labels], axis=1), tmp_path / "pairs" / split / pair.name
            )
    settings = [f"--set={k}={v}" for k, v in SETTINGS.items() if not k.startswith("data")]
    assert called("segmenter", "train", tmp_path / "pairs", *settings, "--epochs", 1) == 0
    assert "seg_score:segmenter=facades" in capsys.readouterr().out


def test_the_program_trains_one_in_a_process_of_its_own(i2i: Start, tmp_path: Path) -> None:
    run = i2i("segmenter", "train", *SMALL_SYNTHETIC, "--epochs", 1, "--name", "mine")
    assert run.status == 0, run.output
    assert "segmenter=mine" in run.output
    assert (tmp_path / "cache/segmenters/mine.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (["facade"], "facade: is no file; unknown dataset 'facade', did you mean 'facades'?", 2),
        (["gone.toml"], "gone.toml: there is no such file", 2),
        (["synthetic", "--set", "segmenter.epoch=3"], "did you mean 'epochs'?", 2),
        (["synthetic", "--set", "segmenter.lr=0"], "segmenter.lr: must be above 0", 2),
        (["synthetic", "--set", 'segmenter.labels="left"'], "segmenter.labels: must be one of", 2),
        (["synthetic", "--name", "a/b"], "'a/b' is no name", 2),
        (["facades", "--set", "data.root=gone"], "data.root: there is no folder /", 2),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], sentence: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("segmenter", "train", *arguments) == status
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("base_channels=200000", "segmenter: training needs at least"),
        ("base_channels=9000000000000000000", "segmenter: needs more than 8 EiB of memory"),
        ("batch_size=1", "set segmenter.batch_size to 2 or more"),
    ],
)
def test_what_can_t_be_trained_is_told_before_it_is_allocated(
    option: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (*SMALL_SYNTHETIC, "--set", f"segmenter.{option}")
    assert called("segmenter", "train", *options, "--quiet") == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told


def test_help_teaches_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("segmenter", "--help") == 0
    assert called("segmenter", "train", "--help") == 0
    told = capsys.readouterr().out
    assert "\n  i2i segmenter train facades\n" in told
    assert "\n  i2i segmenter train ../shared/facades\n" in told
    assert "seg_score" in told
    assert "--epochs" in told
