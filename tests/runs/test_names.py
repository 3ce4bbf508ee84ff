"""File names with bytes that are not UTF-8: everything that i2i writes can be written and read."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.evaluation.folders import evaluate_folders
from i2i.exporting.torch_export import export_torch
from i2i.recipe import Recipe
from i2i.report import write_report
from i2i.run_folder import RunFolder
from i2i.runs.evaluate import evaluate
from i2i.runs.loading import load
from i2i.runs.run import run
from i2i.system.hashing import text_sha256
from i2i.translation.translate import translate

ODD = os.fsdecode(b"sm\xf8r\xa5")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Pairs in three splits, with a name that is not UTF-8 in each and a damaged file."""
    for split in ("train", "val", "test"):
        folder = tmp_path / "pairs" / split
        try:
            (folder / ODD).mkdir(parents=True)
        except OSError:
            pytest.skip("this file system has only names in UTF-8")
        for name in ("0", "1", ODD, f"{ODD}/2"):
            picture = Image.effect_noise((80, 40), 50).convert("RGB")
            picture.save(folder / f"{name}.png")
    (tmp_path / "pairs" / "train" / f"{ODD}-damaged.png").write_bytes(b"x")
    (tmp_path / "pairs" / "train" / f"{ODD}.heic").write_bytes(b"x")
    return tmp_path / "pairs"


def test_a_run_with_such_names_ends_resumes_and_is_measured(
    pairs: Path, tmp_path: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    data = {"type": "folders", "root": str(pairs), "on_bad": "skip"}
    out = tmp_path / f"run-{ODD}"
    for steps in (2, 3):
        recipe = tiny_recipe(data=data, train={"max_steps": steps})
        assert run(recipe, out=out, quiet=True, resume=steps == 3).status == 0
    images = out / "evaluation" / "images"
    assert (images / f"{ODD}.png").is_file()
    assert (images / ODD / "2.png").is_file()
    report = (out / "report.html").read_text(encoding="utf-8")
    assert r"sm\udcf8r\udca5-damaged" in report
    environment = json.loads((out / "environment.json").read_text(encoding="utf-8"))
    assert environment["data"]["skipped"]["train"][0][0] == f"{ODD}-damaged"
    assert any(f"{ODD}.heic" in remark for remark in environment["data"]["remarks"])
    assert evaluate(out, ["psnr"]).metrics["psnr"] is not None
    write_report(RunFolder(out))
    document = evaluate_folders(images, images, metrics=["l1"])
    assert document["metrics"]["l1"] == 0


def test_files_with_such_names_are_translated_and_found_again(
    pairs: Path, tmp_path: Path, trained: Path
) -> None:
    out = tmp_path / f"out-{ODD}"
    first = translate(trained, [pairs / "train"], out)
    assert (first.now, first.inputs) == (4, 6)
    assert translate(trained, [pairs / "train"], out).before == 4
    record = json.loads((out / "translation.json").read_text(encoding="utf-8"))
    assert f"{ODD}.png" in record["files"]


def test_an_export_is_refused_before_its_library_fails(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="UTF-8"):
        export_torch(load(trained, device="cpu"), tmp_path / f"{ODD}.pt2")


def test_texts_with_such_names_have_a_digest_of_their_own() -> None:
    assert len({text_sha256(text) for text in (ODD, ODD[:-1], "")}) == 3
