"""What recipes can ask of a run, tried through the program."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from i2i.model.file import read_model
from tests.processes import Run

Start = Callable[..., Run]
Recipe = Callable[..., Path]


def pairs(folder: Path, n: int = 12, suffix: str = ".png") -> None:
    """Side-by-side pairs of noise and its negative."""
    folder.mkdir(parents=True)
    for i in range(n):
        left = np.random.default_rng(i).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(np.hstack([left, 255 - left])).save(folder / f"{i}{suffix}")


def test_folders_of_one_s_own_train(i2i: Start, tmp_path: Path, write_recipe: Recipe) -> None:
    for split in ("train", "val", "test"):
        pairs(tmp_path / "pairs" / split)
    run = i2i("run", write_recipe(data={"type": "folders", "root": "pairs"}))
    assert run.status == 0, run.output
    names = {file.stem for file in (tmp_path / "runs/tiny/evaluation/images").iterdir()}
    assert names == {str(i) for i in range(12)}


def test_gray_inputs_and_channels_of_any_number_train(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    for i in range(10):
        for side, channels in (("in", 1), ("out", 5)):
            folder = tmp_path / "data" / side
            folder.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(i).integers(0, 2**16, (36, 36, channels), dtype=np.uint16)
            np.save(folder / f"{i}.npy", noise)
    data = {
        "type": "folders",
        "root": "data",
        "input_dir": "in",
        "target_dir": "out",
        "input_mode": "gray",
        "target_mode": "channels",
        "depth": 16,
        "val_fraction": 0.2,
        "test_fraction": 0.3,
        "split_seed": 1,
    }
    run = i2i("run", write_recipe(data=data, train={"batch_size": 1, "max_steps": 2}))
    assert run.status == 0, run.output
    images = list((tmp_path / "runs/tiny/evaluation/images").iterdir())
    assert images
    output = np.load(images[0])
    assert output.shape == (32, 32, 5)
    assert output.dtype == np.uint16


def test_bad_images_end_a_run_before_its_first_step_or_are_left_out_when_asked(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    for split in ("train", "val", "test"):
        pairs(tmp_path / "pairs" / split, suffix=".jpg")
    for name in ("train/3.jpg", "test/5.jpg"):
        file = tmp_path / "pairs" / name
        file.write_bytes(file.read_bytes()[:-200])
    (tmp_path / "pairs/train/4.jpg").write_bytes(b"")
    recipe = write_recipe(data={"type": "folders", "root": "pairs"})
    run = i2i("run", recipe)
    assert run.status == 2
    assert len(run.errors.splitlines()) == 3
    for name in ("train/3.jpg", "train/4.jpg", "test/5.jpg"):
        assert name in run.errors
    assert "step 1" not in run.output
    run = i2i("run", recipe, "--set", "data.on_bad=skip")
    assert run.status == 0, run.output
    assert "left out 3" in run.output
    folder = tmp_path / "runs/tiny"
    data = json.loads((folder / "environment.json").read_text())["data"]
    assert data["pairs"] == {"train": 10, "val": 12, "test": 11}
    assert [name for name, _ in data["skipped"]["train"]] == ["3", "4"]
    assert "skipped in train" in (folder / "report.html").read_text()


def test_the_best_checkpoint_is_kept_and_can_be_the_one_evaluated(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    recipe = write_recipe(
        train={"max_steps": 12},
        validation={"every": 1},
        checkpoint={"every": 12, "keep_last": 1},
        eval={"weights": "best"},
    )
    assert i2i("run", recipe).status == 0
    folder = tmp_path / "runs/tiny"
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    values = {line["step"]: line["validation"]["l1"] for line in lines if "validation" in line}
    best = min(values, key=values.__getitem__)
    kept = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert kept == sorted({f"step-{best:08d}", "step-00000012"})
    assert json.loads((folder / "evaluation/metrics.json").read_text())["step"] == best


def test_a_model_file_holds_its_recipe_and_only_the_generator(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    assert i2i("run", write_recipe()).status == 0
    file = tmp_path / "runs/tiny/checkpoints/step-00000006/model.safetensors"
    tensors, metadata = read_model(file)
    assert metadata["recipe"] == (tmp_path / "runs/tiny/recipe.toml").read_text()
    assert all(name.startswith(("encoder", "decoder")) for name in tensors)
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())


def test_tensorboard_is_written_when_asked_for(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    pytest.importorskip("tensorboard")
    assert i2i("run", write_recipe(log={"tensorboard": True})).status == 0
    assert list((tmp_path / "runs/tiny/tensorboard").glob("events.*"))


@pytest.mark.parametrize("encoder", ["resnet34", "tf_efficientnet_lite0"])
def test_a_timm_encoder_trains(i2i: Start, write_recipe: Recipe, encoder: str) -> None:
    generator = {"type": "timm_unet", "encoder": encoder}
    recipe = write_recipe(generator=generator, train={"max_steps": 1})
    run = i2i("run", recipe)
    assert run.status == 0, run.output


def test_a_pretrained_encoder_is_told_with_its_source(
    i2i: Start, tmp_path: Path, write_recipe: Recipe, weights: Path
) -> None:
    encoder = "tf_efficientnet_lite0"
    generator = {"type": "timm_unet", "encoder": encoder, "pretrained": True}
    run = i2i("run", write_recipe(generator=generator, train={"max_steps": 1}))
    assert run.status == 0, run.output
    assert f"weights: {encoder}, " in run.output
    environment = json.loads((tmp_path / "runs/tiny/environment.json").read_text())
    assert len(environment["weights"][encoder]["sha256"]) == 64
    # A trained model needs no pretrained weights any more.
    measured = i2i("eval", "--metric", "l2", I2I_WEIGHTS_DIR=str(tmp_path))
    assert measured.status == 0, measured.output


def test_a_pretrained_encoder_that_can_t_be_had_is_told(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    generator = {"type": "timm_unet", "encoder": "resnet34", "pretrained": True}
    refused = i2i(
        "run", write_recipe(generator=generator), HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path)
    )
    assert refused.status == 1
    assert "resnet34" in refused.errors
    assert "Traceback" not in refused.errors


@pytest.mark.parametrize("objective", ["lsgan", "hinge"])
def test_every_objective_trains_in_either_order(
    i2i: Start, write_recipe: Recipe, objective: str
) -> None:
    losses = [{"type": "cgan", "objective": objective}, {"type": "gan", "weight": 0.5}]
    method = {"type": "pix2pix", "adversarial_gradient": "before"}
    run = i2i("run", write_recipe(losses=losses, method=method))
    assert run.status == 0, run.output
    assert "discriminator.gan" in run.output


def test_an_adversarial_loss_may_have_a_discriminator_of_its_own(
    i2i: Start, write_recipe: Recipe
) -> None:
    losses = [
        {"type": "cgan"},
        {"type": "gan", "discriminator": {"type": "pixel", "base_channels": 8}},
    ]
    told = i2i("check", write_recipe(losses=losses)).wait().output
    assert "6x32x32 -> 1x14x14" in told
    assert "3x32x32 -> 1x32x32" in told


def test_data_that_is_smaller_than_a_batch_is_refused(i2i: Start, write_recipe: Recipe) -> None:
    run = i2i("run", write_recipe(train={"batch_size": 13}))
    assert run.status == 2
    assert "12 pairs, fewer than train.batch_size 13" in run.errors


def test_changed_data_does_not_go_on_in_silence(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    for split in ("train", "val", "test"):
        pairs(tmp_path / "pairs" / split)
    recipe = write_recipe(data={"type": "folders", "root": "pairs"})
    assert i2i("run", recipe).status == 0
    shutil.copy(tmp_path / "pairs/train/1.png", tmp_path / "pairs/train/2.png")
    run = i2i("run", recipe, "--resume")
    assert run.status == 2
    assert "the pairs of train have changed" in run.errors


def test_the_paper_s_configuration_runs_on_the_real_facades(
    i2i: Start, facades: Path, write_recipe: Recipe
) -> None:
    data = {"type": "facades", "root": str(facades)}
    run = i2i("run", write_recipe(data=data))
    assert run.status == 0, run.output
    assert "400 train, 100 val, 106 test pairs" in run.output


def test_a_batch_that_a_network_cannot_take_is_told_before_the_first_step(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    recipe = write_recipe(generator={"type": "timm_unet"}, train={"batch_size": 1})
    run = i2i("run", recipe)
    assert run.status == 2
    assert "a norm gets a single value per channel: set train.batch_size to 2 or" in run.errors
    assert "Traceback" not in run.errors
    assert not (tmp_path / "runs").exists()


def test_results_are_json_even_where_a_metric_is_infinite(
    i2i: Start, tmp_path: Path, write_recipe: Recipe
) -> None:
    for split in ("train", "val", "test"):
        folder = tmp_path / "same" / split
        folder.mkdir(parents=True)
        for i in range(4):
            half = np.random.default_rng(i).integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(np.hstack([half, half])).save(folder / f"{i}.png")
    data = {"type": "folders", "root": "same"}
    assert i2i("run", write_recipe(data=data, eval={"metrics": ["psnr"]})).status == 0
    folder = tmp_path / "runs/tiny"
    text = (folder / "evaluation/metrics.json").read_text()
    assert "Infinity" not in text
    assert json.loads(text)["input_as_output"] == {"psnr": None}
    assert "∞" in (folder / "report.html").read_text()
