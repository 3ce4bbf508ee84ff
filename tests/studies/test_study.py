"""`i2i study` as it is used."""

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import i2i
from tests.processes import Run
from tests.studies.conftest import Write, write_into

pytestmark = pytest.mark.xdist_group("studies")

Start = Callable[..., Run]


def results(folder: Path) -> dict[str, Any]:
    """All of study.json that doesn't differ from one time to another."""
    found: dict[str, Any] = json.loads((folder / "study.json").read_text())
    found.pop("ran")
    return found


def times(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (folder / "records").iterdir()}


@pytest.fixture
def copied(studied: Path, tmp_path: Path) -> Path:
    """A study that has been done, to do as one likes with: the folder of its file."""
    return Path(shutil.copytree(studied, tmp_path / "copied"))


def test_a_dry_run_tells_what_there_is_to_do_and_writes_nothing(
    i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    path = write_study(seeds=[0, 3])
    before = sorted(tmp_path.rglob("*"))
    run = i2i("study", path, "--dry-run", "--out", "out")
    assert run.status == 0, run.output
    for name in ("L1, seed 0", "L1, seed 3", "L1+cGAN, seed 0", "L1+cGAN, seed 3"):
        assert re.search(rf"{re.escape(name)} +to run +6\b", run.output)
    assert not (tmp_path / "out").exists()
    assert set(before) <= set(tmp_path.rglob("*"))


def test_the_tables_hold_what_the_runs_have_measured(studied: Path) -> None:
    found = results(studied / "out")
    assert found["study"] == "small"
    assert list(found["variants"]) == ["L1", "L1+cGAN"]
    for variant, run in (("L1", "l1-seed0"), ("L1+cGAN", "l1-cgan-seed0")):
        measured = json.loads((studied / "out/runs" / run / "evaluation/metrics.json").read_text())
        for metric, value in measured["metrics"].items():
            told = found["variants"][variant][metric]
            assert told == {"mean": value, "spread": None, "seeds": {"0": value}}
        a = found["variants"][variant]["lab_histogram.a"]["mean"]
        assert a == measured["details"]["lab_histogram"]["a"]
        fingerprint = measured["details"]["l1"]["fingerprint_sha256"]
        assert found["fingerprint"]["l1"]["sha256"] == fingerprint
    assert found["missing"] == found["differing"] == []
    (finding,) = found["orderings"]
    (comparison,) = finding["comparisons"]
    values = [found["variants"][name]["l1"]["mean"] for name in ("L1", "L1+cGAN")]
    assert comparison["difference"] == pytest.approx(values[0] - values[1])
    low, high = comparison["interval"]
    assert low <= high
    assert 0 <= comparison["confidence"] <= 1
    ran = json.loads((studied / "out/study.json").read_text())["ran"]
    assert [each["updates"] for each in ran] == [6, 6]
    assert all(each["seconds"] > 0 and each["machine"]["threads"] == 1 for each in ran)


def test_the_page_is_one_file_with_all_of_it(studied: Path) -> None:
    page = (studied / "out/study.html").read_text()
    found = results(studied / "out")["variants"]
    for words in (
        "A small study",
        "Nothing can be <em>read</em> here.",
        "It is &lt;small&gt;.",
        "L1 is nearer to the pixels",
        "the paper says so",
        "paper 0.84",
        "from another data set",
        "ground truth",
        "50 times",
        f"{found['L1']['l2']['mean']:.4f}",
    ):
        assert words in page, words
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count("data:image/png;base64") == 4  # inputs, two variants, targets
    assert page.count("data:image/svg+xml;base64") == 2 + 3  # curves of validation; L, a, b
    text = (studied / "out/study.md").read_text()
    assert "| L1+cGAN |" in text
    assert "(0.84)" in text


def test_what_is_done_is_not_repeated_and_its_records_are_enough(copied: Path, i2i: Start) -> None:
    before, found = times(copied / "out"), results(copied / "out")
    shutil.rmtree(copied / "out/runs")
    for name in ("study.json", "study.html", "study.md"):
        (copied / "out" / name).unlink()
    run = i2i("study", copied / "study.toml", "--out", copied / "out")
    assert run.status == 0, run.output
    assert times(copied / "out") == before
    assert results(copied / "out") == found
    assert not (copied / "out/runs").exists()
    shown = i2i("study", copied / "study.toml", "--out", copied / "out", "--dry-run").wait().output
    assert len(re.findall(r"done +0", shown)) == 2


def test_a_record_names_no_place_of_the_machine(
    weights: Path, tmp_path: Path, i2i: Start, folder: Callable[..., Path]
) -> None:
    pairs = folder("pairs", range(12))
    (pairs / "damaged.png").write_bytes(b"no picture")
    data = {"type": "folders", "root": str(pairs), "on_bad": "skip", "val_fraction": 0.2}
    base = {"data": data | {"test_fraction": 0.2}, "validation": {"every": 0}}
    path = write_into(
        tmp_path,
        base=base | {"augment": {"load_size": 32, "crop_size": 32}},
        metrics=["l1", "lpips"],
        columns=["l1"],
        set={},
        orderings=[],
        paper={},
        variants=[{"name": "L1", "set": {"losses": [{"type": "l1"}]}}],
    )
    run = i2i("study", path, "--out", "out")
    assert run.status == 0, run.output
    (record,) = (tmp_path / "out/records").glob("*.json")
    text = record.read_text()
    assert str(tmp_path) not in text
    assert str(weights) not in text
    environment = json.loads(text)["environment"]
    assert environment["weights"]["alexnet"]["source"] == "your folder"
    assert any("damaged" in names for names in environment["data"]["skipped"].values())
    told = json.loads((tmp_path / "out/runs/l1-seed0/environment.json").read_text())
    assert str(pairs / "damaged.png") in json.dumps(told["data"]["skipped"])


@pytest.mark.slow
def test_only_the_variants_that_are_asked_for_are_run(
    i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    path = write_study()
    unknown = i2i("study", path, "--only", "L1+cGA")
    assert unknown.status == 2
    assert "did you mean 'L1+cGAN'?" in unknown.output
    run = i2i("study", path, "--only", "L1", "--out", "out")
    assert run.status == 0, run.output
    found = results(tmp_path / "out")
    assert list(found["variants"]) == ["L1"]
    assert found["missing"] == ["L1+cGAN, seed 0"]
    assert found["orderings"][0]["verdict"] == "unknown"
    assert "Not run yet" in (tmp_path / "out/study.html").read_text()


@pytest.mark.slow
def test_a_variant_that_fails_stops_none_of_the_others_and_is_told(
    i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    variants = [
        {"name": "wild", "set": {"optimizer": {"lr": 1e30}}},
        {"name": "tame", "set": {"losses": [{"type": "l1"}]}},
    ]
    run = i2i("study", write_study(variants=variants, orderings=[]), "--out", "out")
    assert run.status == 1, run.output
    assert "failed: wild, seed 0: exit status 1" in run.errors
    assert "lower optimizer.lr" in run.errors
    assert "Traceback" not in run.output
    found = results(tmp_path / "out")
    assert list(found["variants"]) == ["tame"]
    assert found["missing"] == ["wild, seed 0"]


def test_variants_of_one_recipe_share_one_run_whatever_they_are_called(
    copied: Path, i2i: Start
) -> None:
    before = times(copied / "out")
    variants = [
        {
            "name": "renamed",
            "set": {
                "losses": [{"type": "l1", "weight": 100.0}],
                "discriminator": {"base_channels": 8},  # which L1 alone has no use for
            },
        },
        {"name": "L1+cGAN"},
        {"name": "the paper's", "set": {"train": {"workers": 0}, "log": {"every": 2}}},
    ]
    path = write_into(copied, variants=variants, orderings=[])
    run = i2i("study", path, "--out", copied / "out")
    assert run.status == 0, run.output
    assert times(copied / "out") == before
    found = results(copied / "out")["variants"]
    assert list(found) == ["renamed", "L1+cGAN", "the paper's"]
    assert found["the paper's"] == found["L1+cGAN"]


def test_what_another_study_has_done_is_taken_over(
    studied: Path, i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    variants = [
        {"name": "cGAN too"},
        {"name": "L2", "set": {"losses": [{"type": "l2"}]}},
    ]
    path = write_study(name="other", variants=variants, orderings=[])
    reusing = ("study", path, "--out", "out", "--reuse", studied / "out")
    shown = i2i(*reusing, "--dry-run").wait().output
    assert re.search(r"cGAN too, seed 0 +done: .*l1-cgan-seed0.json +0\b", shown)
    assert re.search(r"L2, seed 0 +to run +6\b", shown)
    run = i2i(*reusing, "--only", "cGAN too")
    assert run.status == 0, run.output
    assert "record copied from" in run.output
    theirs, ours = results(studied / "out"), results(tmp_path / "out")
    assert ours["variants"] == {"cGAN too": theirs["variants"]["L1+cGAN"]}
    records = {file.name for file in (tmp_path / "out/records").iterdir()}
    assert {"cgan-too-seed0.json", "cgan-too-seed0"} < records
    assert i2i("study", path, "--out", "out", "--only", "cGAN too").status == 0
    assert (tmp_path / "out/study.html").read_text().count("data:image/png") >= 3


def test_what_lacks_a_metric_is_not_taken_over_and_a_folder_without_records_is_told(
    studied: Path, i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    path = write_study(
        metrics=["l1", "psnr"], orderings=[], columns=[], paper={}, variants=[{"name": "A"}]
    )
    shown = i2i("study", path, "--reuse", studied / "out", "--dry-run").wait().output
    assert re.search(r"A, seed 0 +to run +6\b", shown)
    run = i2i("study", path, "--reuse", "nowhere")
    assert run.status == 2
    assert "--reuse: nowhere is not a study's folder" in run.output


@pytest.mark.slow
def test_records_of_another_recipe_are_refused_until_they_may_be_overwritten(
    copied: Path, i2i: Start
) -> None:
    other = ("study", copied / "study.toml", "--out", copied / "out", "--set", "train.batch_size=3")
    run = i2i(*other, "--only", "L1")
    assert run.status == 2
    assert "l1-seed0.json: belongs to another recipe: train.batch_size was 2 and is 3" in run.output
    assert "--overwrite" in run.output
    run = i2i(*other, "--only", "L1", "--overwrite")
    assert run.status == 0, run.output
    assert results(copied / "out")["missing"] == ["L1+cGAN, seed 0"]


@pytest.mark.slow
def test_a_metric_that_comes_later_is_measured_without_training_again(
    copied: Path, i2i: Start
) -> None:
    path = write_into(copied, metrics=["l1", "l2", "lab_histogram", "psnr"])
    run = i2i("study", path, "--out", copied / "out", "--only", "L1")
    assert run.status == 0, run.output
    assert "resuming from step 6" in run.output
    assert results(copied / "out")["variants"]["L1"]["psnr"]["mean"] > 0
    shutil.rmtree(copied / "out/runs")
    run = i2i("study", path, "--out", copied / "out")
    assert run.status == 2
    assert "lacks psnr, and its run, which is needed to compute them, was deleted" in run.output


@pytest.mark.slow
def test_a_second_study_in_the_folder_is_refused_and_a_stopped_one_goes_on(
    i2i: Start, write_study: Write, tmp_path: Path
) -> None:
    path = write_study(set={"train": {"max_steps": 100000, "epochs": 100000}})
    first = i2i("study", path, "--out", "out", "--only", "L1")
    log = tmp_path / "out/runs/l1-seed0/metrics.jsonl"
    wait_for(lambda: log.exists() and len(log.read_text()) > 0, first)
    second = i2i("study", path, "--out", "out")
    assert second.status == 1
    assert "another 'i2i study' is using this folder" in second.output
    assert i2i("study", path, "--out", "out", "--page").status == 0
    refused = i2i("study", path, "--out", "out", "--page", "--only", "L1")
    assert (refused.status, "--page shows all that is done" in refused.output) == (2, True)
    first.signal(signal.SIGTERM)
    assert first.status == 143, first.output
    assert "run the same command to resume" in first.output
    shown = i2i("study", path, "--out", "out", "--dry-run", "--only", "L1").wait().output
    assert re.search(r"to resume from step \d+", shown)


def test_a_study_is_one_call_in_python(studied: Path, tmp_path: Path) -> None:
    shutil.copytree(studied / "out/records", tmp_path / "out/records")
    done = i2i.study(studied / "study.toml", out=tmp_path / "out", quiet=True)
    assert (done.status, done.failed) == (0, {})
    assert results(tmp_path / "out") == results(studied / "out")


def wait_for(condition: Callable[[], bool], run: Run) -> None:
    for _ in range(600):
        if condition():
            return
        assert run.process.is_alive(), run.output
        time.sleep(0.1)
    raise AssertionError(f"it never came that far: {run.output}")
