"""A run of version 0.1 opens: it is loaded, evaluated, reported and resumed."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from torch import nn

import i2i
from i2i.evaluation.samples import SampleFolder
from i2i.images import save_image
from i2i.images.sheets import sheet
from i2i.model.file import read_model, write_model
from i2i.report import write_report
from i2i.run_folder import RunFolder
from i2i.system.hashing import file_sha256


class Holder(nn.Module):
    """A network that has given weights, whatever their names."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.tensors = tensors

    def state_dict(self, *_: object, **__: object) -> dict[str, torch.Tensor]:  # type: ignore[override]
        return self.tensors


def old_recipe(text: str) -> str:
    document = tomllib.loads(text)
    document["eval"]["resamples"] = document["eval"].pop("bootstrap")
    document["segmenter"] = {"encoder": "tf_efficientnet_lite0", "epochs": 24}
    return tomli_w.dumps(document)


@pytest.fixture
def old(trained: Path, tmp_path: Path) -> Path:
    """A run's folder as version 0.1 wrote it."""
    folder = RunFolder(tmp_path / "old")
    shutil.copytree(trained, folder.path)
    folder.recipe.write_text(old_recipe(folder.recipe.read_text()))
    for checkpoint in folder.checkpoints.glob("step-*"):
        model = checkpoint / "model.safetensors"
        tensors, metadata = read_model(model)
        write_model(
            model,
            Holder(tensors),
            recipe=old_recipe(metadata["recipe"]),
            data=metadata["data"],
            step=int(metadata["step"]),
        )
        manifest = json.loads((checkpoint / "manifest.json").read_text())
        manifest["sha256"]["model.safetensors"] = file_sha256(model)
        (checkpoint / "manifest.json").write_text(json.dumps(manifest))
    samples = SampleFolder(folder.samples)
    sheets = {step: samples.rows(("input", step, "target")) for step in samples.columns("step-*")}
    shutil.rmtree(folder.samples)
    for step, rows in sheets.items():
        save_image(sheet(rows), folder.samples / step)
    tested = SampleFolder(folder.evaluation / "samples").rows(("input", "output", "target"))
    shutil.rmtree(folder.evaluation / "samples")
    save_image(sheet(tested), folder.evaluation / "sheet")
    return folder.path


def test_its_model_translates_as_before(old: Path, trained: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)
    before, after = i2i.load(trained, device="cpu"), i2i.load(old, device="cpu")
    np.testing.assert_array_equal(after(image), before(image))
    assert after.recipe == before.recipe


def test_its_report_still_shows_samples_and_test_images(old: Path) -> None:
    page = write_report(RunFolder(old)).read_text()
    assert "Over time" in page
    assert "Test sheet" in page
    assert page.count("data:image/png") == 2


def test_it_is_evaluated_again(old: Path) -> None:
    found = i2i.evaluate(old, ["l1", "psnr"])
    assert not found.unavailable
    assert len(SampleFolder(old / "evaluation" / "samples").names) == 4


def test_it_is_resumed(old: Path) -> None:
    recipe = i2i.load(old).recipe
    longer = recipe.model_copy(update={"train": recipe.train.model_copy(update={"max_steps": 8})})
    finished = i2i.run(longer, out=old, resume=True, quiet=True)
    assert finished.status == 0
    assert i2i.load(old).step == 8
    assert "segmenter" not in tomllib.loads((old / "recipe.toml").read_text())
