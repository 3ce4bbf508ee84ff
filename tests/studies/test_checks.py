"""What is found before the first run of a study starts, also by a dry run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from i2i.cli import program
from i2i.errors import I2IError
from i2i.studies.study import planned, study
from tests.studies.conftest import Write

pytestmark = pytest.mark.xdist_group("studies")

PLAIN: dict[str, Any] = {
    "metrics": ["l1"],
    "columns": [],
    "set": {"validation": {"every": 0}, "log": {"samples_every": 0}},
    "orderings": [],
    "paper": {},
    "variants": [{"name": "one", "set": {"losses": [{"type": "l1"}]}}],
}


def pairs_in(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        pair = np.random.default_rng(i).integers(0, 256, (32, 64, 3), dtype=np.uint8)
        Image.fromarray(pair).save(folder / f"{i}.png")


@pytest.fixture(params=[study, planned], ids=["study", "dry-run"])
def refusal(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path], str]:
    """The error of a study, which starts no run."""

    def refused(path: Path, **options: Any) -> str:
        out = options.setdefault("out", tmp_path / "out")
        with pytest.raises(I2IError) as caught:
            request.param(path, **options)
        assert not (out / "runs").exists()
        return str(caught.value)

    return refused


def test_data_without_a_test_split(
    refusal: Callable[..., str], write_study: Write, tmp_path: Path
) -> None:
    pairs_in(tmp_path / "d" / "train", 3)
    data = {"type": "folders", "root": str(tmp_path / "d")}
    told = refusal(write_study(base={"data": data}, **PLAIN))
    assert told == (
        "variant 'one': its data has no test split, on which a study measures every run; add test "
        "pairs"
    )


@pytest.mark.parametrize(
    ("base", "changes", "words"),
    [
        ({"data": {"type": "synthetic", "test": 0}}, {}, "variant 'one': its data has no test"),
        ({"train": {"batch_size": 13}}, {}, "has 12 pairs, fewer than train.batch_size 13"),
        ({}, {"metrics": ["l1", "ms_ssim"]}, "ms_ssim: ms_ssim can't be measured on 32x32"),
        ({"data": {"type": "synthetic", "test": 1}}, {"metrics": ["kid"]}, "kid needs at least 2"),
        ({"generator": {"base_channels": 10**6}}, {}, "variant 'one': training needs at least"),
        ({"train": {"device": "cuda:77"}}, {}, "there is no device 'cuda:77' here"),
        ({"generator": {"depth": 6}}, {}, "variant 'one': generator 'unet': depth 6 halves"),
    ],
)
def test_what_can_t_be_trained_or_measured(
    refusal: Callable[..., str],
    write_study: Write,
    weights: Path,
    base: dict[str, Any],
    changes: dict[str, Any],
    words: str,
) -> None:
    assert words in refusal(write_study(base=base, **{**PLAIN, **changes}))


def test_a_validation_metric_that_refuses_the_images(
    refusal: Callable[..., str], write_study: Write
) -> None:
    validation = {"every": 3, "metrics": ["l1", "ms_ssim"]}
    told = refusal(write_study(**{**PLAIN, "set": {"validation": validation}}))
    assert "ms_ssim can't be measured on 32x32 images" in told


def test_a_damaged_first_image(
    refusal: Callable[..., str], write_study: Write, tmp_path: Path
) -> None:
    for split in ("train", "test"):
        pairs_in(tmp_path / "d" / split, 3)
    whole = (tmp_path / "d/test/0.png").read_bytes()
    (tmp_path / "d/test/0.png").write_bytes(whole[: len(whole) // 2])
    data = {"type": "folders", "root": str(tmp_path / "d")}
    assert "test/0.png" in refusal(write_study(base={"data": data}, **PLAIN))
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    skipping = {"data": {**data, "on_bad": "skip"}}
    assert [job.state for job in planned(write_study(base=skipping, **PLAIN))] == ["new"]


@pytest.mark.parametrize("place", ["file", "file/deeper", "full"])
def test_a_place_that_can_t_be_written_to(
    refusal: Callable[..., str], write_study: Write, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "records").write_text("mine, too")
    told = refusal(write_study(**PLAIN), out=tmp_path / place)
    assert f"{tmp_path / place}: can't be written to: " in told
    assert (tmp_path / "file").read_text() == "mine"


def test_records_of_own_data_hold_no_path_and_are_read_back(
    write_study: Write, tmp_path: Path
) -> None:
    for split, count in (("train", 3), ("test", 2)):
        pairs_in(tmp_path / "d" / split, count)
    path = write_study(base={"data": {"type": "folders", "root": str(tmp_path / "d")}}, **PLAIN)
    command = ["study", str(path), "--out", str(tmp_path / "out"), "--quiet"]
    assert CliRunner().invoke(program, command, catch_exceptions=False).exit_code == 0
    (file,) = (tmp_path / "out/records").glob("*.json")
    assert str(tmp_path) not in file.read_text()
    assert json.loads(file.read_text())["recipe"]["data"]["root"] == "."
    shutil.rmtree(tmp_path / "out/runs")
    moved = tmp_path / "elsewhere"
    (tmp_path / "out").rename(moved)
    (tmp_path / "d").rename(tmp_path / "data")
    override = [f"data.root={tmp_path / 'data'}"]
    (job,) = planned(path, overrides=override, out=moved)
    assert job.state == "done"
    assert study(path, overrides=override, out=moved, quiet=True).status == 0
    assert (moved / "study.html").stat().st_size > 0
    assert not (moved / "runs").exists()
