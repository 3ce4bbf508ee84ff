"""`i2i eval` and `i2i compare` as they are used."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from i2i.cli import program
from i2i.runs.run import run
from tests.processes import Run

Make = Callable[..., Path]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)


@pytest.fixture
def trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_recipe: Callable[..., Path]
) -> Path:
    monkeypatch.chdir(tmp_path)
    run(write_recipe(), quiet=True)
    return tmp_path / "runs" / "tiny"


def test_without_a_target_it_is_the_newest_run(trained: Path) -> None:
    shutil.copytree(trained, trained.with_name("older"))
    for file in trained.with_name("older").glob("checkpoints/*/manifest.json"):
        os.utime(file, (0, 0))
    called = call("eval", "--metric", "l2", "--json")
    assert called.exit_code == 0
    assert "the newest run: runs/tiny" in called.stderr
    assert json.loads(called.stdout)["metrics"]["l2"] > 0


def test_a_run_s_values_are_those_it_ended_with(trained: Path) -> None:
    before = json.loads((trained / "evaluation" / "metrics.json").read_text())
    pictures = {f.name: f.read_bytes() for f in (trained / "evaluation" / "images").iterdir()}
    assert call("eval", trained).exit_code == 0
    assert json.loads((trained / "evaluation" / "metrics.json").read_text()) == before
    again = {f.name: f.read_bytes() for f in (trained / "evaluation" / "images").iterdir()}
    assert again == pictures


def test_new_metrics_join_the_run_s_and_its_report(trained: Path) -> None:
    called = call("eval", trained, "--metric", "psnr", "--metric", "ssim")
    assert called.exit_code == 0
    assert "psnr" in called.stdout
    document = json.loads((trained / "evaluation" / "metrics.json").read_text())
    assert list(document["metrics"]) == ["l1", "psnr", "ssim"]
    page = (trained / "report.html").read_text()
    for details in document["details"].values():
        assert f"{details['value']:.4f}" in page
        assert details["fingerprint_sha256"][:12] in page


def test_an_evaluation_of_other_weights_stands_alone(trained: Path) -> None:
    path = trained / "evaluation" / "metrics.json"
    document = json.loads(path.read_text())
    document["step"] = 1
    path.write_text(json.dumps(document))
    assert call("eval", trained, "--metric", "psnr").exit_code == 0
    assert list(json.loads(path.read_text())["metrics"]) == ["psnr"]


def test_a_run_s_images_measured_as_a_folder_give_the_same(trained: Path, tmp_path: Path) -> None:
    from i2i.datasets.decoded import decode
    from i2i.images import save_image
    from i2i.recipe import load_recipe
    from i2i.recipe.assemble import assemble_dataset

    recipe = load_recipe(trained / "recipe.toml")
    decoded = decode(assemble_dataset(recipe), "test", recipe.augment.crop)
    for name, pair in zip(decoded.names, decoded.array, strict=True):
        save_image(pair[3:].transpose(1, 2, 0), tmp_path / "targets" / name)
    images = trained / "evaluation" / "images"
    called = call("eval", images, "--against", tmp_path / "targets", "--metric", "l1", "--json")
    ended = json.loads((trained / "evaluation" / "metrics.json").read_text())
    assert json.loads(called.stdout)["metrics"]["l1"] == pytest.approx(
        ended["metrics"]["l1"], rel=1e-7
    )


def test_a_typo_in_a_metric_or_its_option_is_told(i2i: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    done = i2i("eval", "x", "--against", "x", "--metric", "fidd", "--metric", "fid:presett=tf1")
    assert done.status == 2
    assert "unknown metric 'fidd', did you mean 'fid'?" in done.output
    assert "did you mean 'preset'?" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no such run or folder"),
        (["."], "--against FOLDER"),
        ([], "no trained run under runs"),
    ],
)
def test_what_can_t_be_measured_is_told_in_a_line(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call("eval", *arguments)
    assert words in str(called.exception)


NOWHERE = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
) | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nonexistent", "I2I_WEIGHTS_DIR": ""}
"""An environment in which no weights can be had."""


def test_missing_weights_make_a_metric_unavailable_and_the_others_stand(
    i2i: Callable[..., Run], folder: Make
) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(3))
    metrics = ("--metric", "fid", "--metric", "l1")
    done = i2i("eval", outputs, "--against", targets, *metrics, **NOWHERE)
    assert done.status == 1
    assert "l1 ↓" in done.output
    assert "fid is unavailable" in done.output
    assert "SHA-256" in done.output
    assert "Traceback" not in done.output


def test_a_run_whose_metric_is_unavailable_says_so_from_the_start_and_is_measured_later(
    i2i: Callable[..., Run], write_recipe: Callable[..., Path], tmp_path: Path, weights: Path
) -> None:
    run = i2i("run", write_recipe(eval={"metrics": ["fid", "l1"]}), **NOWHERE)
    assert run.status == 1
    assert run.output.index("fid will be unavailable") < run.output.index("step 1/")
    page = tmp_path / "runs" / "tiny" / "report.html"
    assert "unavailable: " in page.read_text()
    document = tmp_path / "runs" / "tiny" / "evaluation" / "metrics.json"
    assert json.loads(document.read_text())["metrics"]["fid"] is None
    measured = i2i("eval", "--metric", "fid", I2I_WEIGHTS_DIR=str(weights))
    assert measured.status == 0, measured.output
    assert json.loads(document.read_text())["metrics"]["fid"] > 0
    assert "unavailable: " not in page.read_text()


def test_a_folder_that_can_t_be_written_to_is_measured_all_the_same(
    folder: Make, tmp_path: Path
) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(3))
    (outputs / "metrics.json").mkdir()
    called = call("eval", outputs, "--against", targets, "--metric", "l1")
    assert called.exit_code == 0
    assert "not written" in called.stdout
    out = tmp_path / "kept.json"
    assert (
        call("eval", outputs, "--against", targets, "--metric", "l1", "--out", out).exit_code == 0
    )
    assert json.loads(out.read_text())["metrics"]["l1"] == 0


def test_compare_shows_results_of_one_fingerprint_and_refuses_others(
    folder: Make, tmp_path: Path
) -> None:
    one, other, targets = folder("a", range(3)), folder("b", range(1, 4)), folder("t", range(5, 8))
    for outputs in (one, other):
        assert call("eval", outputs, "--against", targets, "--metric", "l1").exit_code == 0
    called = call("compare", one, other)
    assert called.exit_code == 0
    assert str(one) in called.stdout.replace("\n", "")
    assert call("eval", other, "--against", one, "--metric", "l1").exit_code == 0
    assert "can't be compared" in str(call("compare", one, other).exception)
