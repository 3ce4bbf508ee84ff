"""Whole runs: both directions are kept, shown and used; stopped and shared runs end alike."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from click.testing import CliRunner

import i2i
from i2i.cli import program
from i2i.model.file import read_model
from i2i.training.checkpoint import newest

Recipes = Callable[..., i2i.Recipe]
MODELS = ("model.safetensors", "model-inverse.safetensors")


def start(
    recipe: i2i.Recipe, folder: Path, out: str, **environment: str
) -> "subprocess.Popen[bytes]":
    file = folder / "recipe.toml"
    file.write_text(recipe.to_toml())
    command = [sys.executable, "-m", "i2i", "run", str(file), "--out", out, "--resume"]
    shared = {"I2I_CACHE_DIR": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, **shared, **environment}, stdout=subprocess.DEVNULL
    )


def content(run: Path) -> dict[str, torch.Tensor]:
    """All tensors of the newest checkpoint."""
    found, _ = newest(run / "checkpoints")
    assert found is not None
    state = torch.load(found.path / "training.pt", weights_only=True)
    tensors = {f"method.{name}": tensor for name, tensor in state["method"].items()}
    for name, network in state["networks"].items():
        tensors |= {f"{name}.{key}": tensor for key, tensor in network.items()}
    for player, optimizer in state["optimizers"].items():
        for i, moments in optimizer["state"].items():
            tensors |= {f"{player}.{i}.{key}": tensor for key, tensor in moments.items()}
    for file in MODELS:
        weights = read_model(found.path / file).tensors
        tensors |= {f"{file}.{key}": tensor for key, tensor in weights.items()}
    return tensors


def assert_equal(one: Path, other: Path) -> None:
    first, second = content(one), content(other)
    assert first.keys() == second.keys()
    assert "method.target.images" in first
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_both_directions_are_measured_and_shown_with_the_cycle(trained: Path) -> None:
    fingerprints = set()
    for folder in (trained, trained / "models" / "inverse"):
        document = json.loads((folder / "evaluation" / "metrics.json").read_text())
        assert 0 < document["metrics"]["l1"] < 1
        fingerprints.add(document["details"]["l1"]["fingerprint_sha256"])
        columns = {path.name for path in (folder / "evaluation" / "samples").iterdir()}
        assert columns == {"input", "output", "back", "target"}
    assert len(fingerprints) == 2  # they are compared with different targets
    page = (trained / "report.html").read_text()
    assert "Test results (generator)" in page
    assert "Test results (inverse)" in page
    assert page.count("<figcaption>input | output | back | target</figcaption>") == 2


def test_the_samples_of_the_way_back_are_those_of_the_pairs_exchanged(trained: Path) -> None:
    forward = trained / "evaluation" / "samples"
    backward = trained / "models" / "inverse" / "evaluation" / "samples"
    for name in ("00000.png", "00002.png"):
        assert (forward / "input" / name).read_bytes() == (backward / "target" / name).read_bytes()
        assert (forward / "target" / name).read_bytes() == (backward / "input" / name).read_bytes()


def test_a_model_of_either_direction_is_loaded_by_its_name(trained: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    forward, backward = (
        i2i.load(trained, model=name, device="cpu") for name in ("generator", "inverse")
    )
    assert not forward.data.backward
    assert backward.data.backward
    assert not np.array_equal(forward(image), backward(image))
    with pytest.raises(i2i.I2IError, match="no model 'back', only generator, inverse"):
        i2i.load(trained, model="back")


def test_commands_take_the_name_of_a_model(trained: Path, tmp_path: Path) -> None:
    inputs = trained / "evaluation" / "samples" / "target"
    invoke = CliRunner().invoke
    arguments = ["translate", str(trained), str(inputs), "--out", str(tmp_path / "out")]
    done = invoke(program, [*arguments, "--model", "inverse"], catch_exceptions=False)
    assert done.exit_code == 0
    done = invoke(program, ["eval", str(trained), "--model", "inverse", "--metric", "l2"])
    assert done.exit_code == 0, done.output
    document = trained / "models" / "inverse" / "evaluation" / "metrics.json"
    assert json.loads(document.read_text())["metrics"].keys() >= {"l1", "l2"}


def test_unpaired_folders_are_recognised_trained_and_measured_as_sets(
    tiny_recipe: Recipes, trained: Path, tmp_path: Path
) -> None:
    samples = trained / "evaluation" / "samples"
    for split, number in (("train", 3), ("test", 2)):
        for side, letter in (("input", "A"), ("target", "B")):
            folder = tmp_path / "horses" / f"{split}{letter}"
            folder.mkdir(parents=True)
            for i in range(number - (side == "target")):
                source = samples / side / f"{i:05}.png"
                (folder / f"{letter.lower()}{i}.png").write_bytes(source.read_bytes())
    recipe = tmp_path / "recipe.toml"
    document = tiny_recipe().model_dump(mode="json", exclude_none=True)
    document["data"] = {"type": "folders", "root": "horses"}
    document["eval"] = {"metrics": ["l1"]}
    recipe.write_text(tomli_w.dumps(document))
    said = CliRunner().invoke(program, ["check", str(recipe)])
    assert "unpaired in train, test" in said.output
    done = CliRunner().invoke(program, ["run", str(recipe), "--out", str(tmp_path / "run")])
    assert done.exit_code == 1, done.output
    assert "3 + 2 train, 0 val, 2 + 1 test" in done.output
    assert "l1 is unavailable: l1 compares each output with its own target" in done.output
    columns = {path.name for path in (tmp_path / "run/evaluation/samples").iterdir()}
    assert columns == {"input", "output", "back"}


def test_a_run_in_parts_has_the_bits_of_one_run(tiny_recipe: Recipes, tmp_path: Path) -> None:
    i2i.run(tiny_recipe(schedule={"type": "constant"}), out=tmp_path / "whole", quiet=True)
    for steps in (4, 7, 10):
        part = tiny_recipe(schedule={"type": "constant"}, train={"max_steps": steps})
        i2i.run(part, out=tmp_path / "parts", resume=True, quiet=True)
    assert_equal(tmp_path / "whole", tmp_path / "parts")


def steps_done(run: Path) -> int:
    """The number of steps in a run's log."""
    log = run / "metrics.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("}")), default=0)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(
    tiny_recipe: Recipes, tmp_path: Path
) -> None:
    recipe = tiny_recipe(train={"max_steps": 120}, checkpoint={"every": 5})
    assert start(recipe, tmp_path, "whole").wait(300) == 0
    moment = random.Random(0)
    kills = int(os.environ.get("I2I_KILLS", "4"))
    for step in sorted(moment.sample(range(1, 118), kills)):
        process = start(recipe, tmp_path, "cut")
        while process.poll() is None and steps_done(tmp_path / "cut") < step:
            time.sleep(0.01)
        time.sleep(moment.uniform(0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert start(recipe, tmp_path, "cut").wait(300) == 0
    assert_equal(tmp_path / "whole", tmp_path / "cut")


def test_two_processes_train_what_one_does(tiny_recipe: Recipes, tmp_path: Path) -> None:
    recipe = tiny_recipe(train={"batch_size": 2, "max_steps": 8})
    assert start(recipe, tmp_path, "one").wait(120) == 0
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = str(found.getsockname()[1])
    meeting = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    ranks = [start(recipe, tmp_path, "two", RANK=r, LOCAL_RANK=r, **meeting) for r in "01"]
    assert [process.wait(120) for process in ranks] == [0, 0]
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    # Biases before a norm have no effect; their gradients are rounding errors, which Adam enlarges.
    for name in (n for n in one if n.endswith(".weight") or n.startswith("method.")):
        torch.testing.assert_close(
            two[name], one[name], rtol=0, atol=2e-5, msg=lambda m, n=name: f"{n}: {m}"
        )
