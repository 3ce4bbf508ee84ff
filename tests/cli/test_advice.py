"""Advice in messages can be taken with the command that gives it."""

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import tomli_w
from click.testing import CliRunner

import i2i
from i2i.cli import program
from i2i.errors import DataError
from i2i.images import read
from i2i.runs.run import run

Written = Callable[..., Path]


def problem(*arguments: object) -> str:
    """The error of a command, in one line."""
    called = CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)
    assert isinstance(called.exception, i2i.I2IError), called.output
    return str(called.exception)


def succeeds(*arguments: object) -> str:
    called = CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)
    assert called.exit_code == 0, called.exception or called.output
    return called.output


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a folder of TIFF files of random values."""

    def write(name: str, channels: int, dtype: type, *, top: float = 1.0, seed: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for i in range(3):
            values = np.random.default_rng([seed, i]).random((32, 32, channels)) * top
            tifffile.imwrite(
                folder / f"{i}.tif",
                values.astype(dtype).squeeze(),
                photometric="rgb" if channels == 3 else "minisblack",
                planarconfig="contig" if channels > 1 else None,
            )
        return folder

    return write


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int32, np.uint32])
def test_eval_tells_the_option_that_declares_a_range(written: Written, dtype: type) -> None:
    outputs = written("o", 1, dtype, top=900.0)
    targets = written("t", 1, dtype, top=900.0, seed=1)
    command = ("eval", outputs, "--against", targets, "--metric", "l1")
    told = problem(*command)
    assert "data.float_range" not in told
    assert "--float-range BLACK WHITE" in told
    shown = succeeds(*command, "--float-range", 0, 1000, "--json")
    values = [
        np.random.default_rng([seed, i]).random((32, 32, 1)) * 900
        for seed in (0, 1)
        for i in range(3)
    ]
    expected = np.mean([np.abs(values[i] - values[3 + i]).mean() / 1000 for i in range(3)])
    (value,) = re.findall(r'"l1": ([\d.]+)', shown)
    assert float(value) == pytest.approx(expected, abs=0.005)


def test_a_range_is_for_files_that_need_one_alone(written: Written, tmp_path: Path) -> None:
    floats = written("t", 1, np.float32)
    whole = tmp_path / "o"
    whole.mkdir()
    for file in floats.iterdir():
        levels = read(file, "gray", float_range=(0, 1))
        tifffile.imwrite(whole / file.name, levels[..., 0])
    command = ("eval", whole, "--against", floats, "--metric", "l1", "--json")
    assert '"l1": 0.0' in succeeds(*command, "--float-range", 0, 1)


@pytest.mark.parametrize("values", [("0", "0"), ("nan", "1"), ("0", "inf"), ("a", "1")])
@pytest.mark.parametrize("command", ["eval", "translate"])
def test_a_range_without_extent_is_refused(values: tuple[str, str], command: str) -> None:
    called = CliRunner().invoke(
        program, [command, "x", "y", "--out", "z", "--float-range", *values]
    )
    assert called.exit_code == 2
    assert "--float-range" in called.output


@pytest.mark.parametrize("channels", [2, 5, 7])
def test_eval_tells_the_option_that_reads_all_channels(written: Written, channels: int) -> None:
    outputs, targets = written("o", channels, np.uint8, top=255), written("t", channels, np.uint8)
    command = ("eval", outputs, "--against", targets, "--metric", "l2")
    if channels != 2:  # two channels are grey with alpha
        told = problem(*command)
        assert "input_mode" not in told
        assert "--mode channels" in told
    shown = succeeds(*command, "--mode", "channels", "--json")
    (value,) = re.findall(r'"l2": ([\d.]+)', shown)
    expected = np.mean(
        [
            np.square(
                (np.random.default_rng([0, i]).random((32, 32, channels)) * 255).astype(np.uint8)
                / 255
            ).mean()
            for i in range(3)
        ]
    )
    assert float(value) == pytest.approx(expected, rel=1e-4)


def test_partners_of_other_channels_are_listed(written: Written) -> None:
    outputs, targets = written("o", 5, np.uint8), written("t", 6, np.uint8)
    told = problem("eval", outputs, "--against", targets, "--metric", "l1", "--mode", "channels")
    assert "0.tif: is 32x32 with 5 channels, but its partner" in told
    assert len(told.splitlines()) == 3


def test_values_of_other_modes_can_t_be_compared(written: Written) -> None:
    outputs, targets = written("o", 3, np.uint8, top=255), written("t", 3, np.uint8, top=99)
    for mode in ("rgb", "gray"):
        command = ("eval", outputs, "--against", targets, "--metric", "l1", "--mode", mode)
        succeeds(*command, "--out", outputs.with_name(f"{mode}.json"))
    told = problem("compare", outputs.with_name("rgb.json"), outputs.with_name("gray.json"))
    assert "mode is None in" in told


@pytest.fixture
def bands(tmp_path: Path, write_recipe: Callable[..., Path], written: Written) -> Path:
    """A run that translates RGB images to two bands."""
    for split in ("train", "test"):
        for side, channels in (("in", 3), ("out", 2)):
            (tmp_path / "d" / side).mkdir(parents=True, exist_ok=True)
            written(f"{side}-{split}", channels, np.uint8, top=255).rename(
                tmp_path / "d" / side / split
            )
    recipe = write_recipe(
        data={
            "type": "folders",
            "root": str(tmp_path / "d"),
            "input_dir": "in",
            "target_dir": "out",
            "target_mode": "channels",
        },
        validation={"every": 0},
        train={"max_steps": 1},
        log={"samples_every": 0},
    )
    run(recipe, out=tmp_path / "run", quiet=True)
    return tmp_path / "run"


def test_a_model_s_own_outputs_of_two_bands_are_measured(bands: Path, tmp_path: Path) -> None:
    succeeds("translate", bands, tmp_path / "d/in/test", "--out", tmp_path / "made")
    command = ("eval", tmp_path / "made", "--against", tmp_path / "d/out/test", "--metric", "psnr")
    assert '"psnr": ' in succeeds(*command, "--mode", "channels", "--json")
    images = bands / "evaluation" / "images"
    command = ("eval", images, "--against", tmp_path / "d/out/test", "--metric", "l1")
    measured = succeeds(*command, "--mode", "channels", "--json")
    of_run = succeeds("eval", bands, "--metric", "l1", "--json")
    values = [re.findall(r'"l1": ([\d.]+)', text)[0] for text in (measured, of_run)]
    assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-6)


def test_the_options_are_for_folders(bands: Path) -> None:
    for option in (("--mode", "gray"), ("--float-range", "0", "1")):
        assert "is a run" in problem("eval", bands, *option)


def test_translate_tells_the_option_that_declares_a_range(
    trained: Path, written: Written, tmp_path: Path
) -> None:
    floats = written("floats", 3, np.float32, top=2.0)
    command = ("translate", trained, floats, "--out", tmp_path / "out")
    told = problem(*command)
    assert "data.float_range" not in told
    assert "--float-range BLACK WHITE" in told
    assert "translated 3 of 3" in succeeds(*command, "--float-range", 0, 2)
    assert "float_range was [0.0, 2.0] and is [0.0, 3.0]" in problem(
        *command, "--float-range", 0, 3
    )
    values = read(floats / "0.tif", depth=16, float_range=(0, 2))
    expected = i2i.load(trained, device="cpu")(values)
    (output,) = tmp_path.glob("out/0.*")
    assert np.abs(read(output).astype(int) - expected.astype(int)).max() <= 1


def test_translate_tells_which_images_a_model_takes(
    trained: Path, written: Written, tmp_path: Path
) -> None:
    told = problem("translate", trained, written("five", 5, np.uint8), "--out", tmp_path / "out")
    assert "has 5 channels, so it is neither grey nor colour: the model takes RGB images" in told
    assert "--mode" not in told


def test_run_tells_the_keys_of_the_recipe(
    written: Written, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    for side, channels, dtype in (("in", 1, np.float32), ("out", 6, np.uint8)):
        written(side, channels, dtype)
        (tmp_path / side).rename(tmp_path / "train")
        (tmp_path / "d" / side).mkdir(parents=True)
        (tmp_path / "train").rename(tmp_path / "d" / side / "train")
    data = {"type": "folders", "root": str(tmp_path / "d"), "input_dir": "in", "target_dir": "out"}
    recipe = write_recipe(data=data, validation={"every": 0}, train={"max_steps": 1})
    command = ["run", recipe, "--out", tmp_path / "run", "--quiet"]
    told = problem(*command)
    assert "set data.float_range = [black, white]" in told
    command += ["--set", "data.float_range=[0, 1]"]
    told = problem(*command)
    assert 'set data.target_mode = "channels"' in told
    succeeds(*command, "--set", "data.target_mode=channels", "--set", "log.samples_every=0")


def test_the_api_names_no_option_of_another_caller(written: Written) -> None:
    floats = written("floats", 1, np.float32)
    with pytest.raises(DataError) as caught:
        read(floats / "0.tif")
    (told,) = caught.value.problems
    assert told.endswith("its values are float32 without a declared float_range")


def test_compare_tells_how_to_measure(trained: Path, written: Written) -> None:
    outputs, targets = written("o", 3, np.uint8, top=255), written("t", 3, np.uint8)
    told = problem("compare", outputs, outputs)
    command = shlex.split(told.partition("run: i2i ")[2])
    command[command.index("FOLDER")] = str(targets)
    command[command.index("NAME")] = "l1"
    succeeds(*command)
    succeeds("compare", outputs, outputs)


def test_eval_of_a_run_whose_data_moved_tells_where_the_key_is(bands: Path, tmp_path: Path) -> None:
    (tmp_path / "d").rename(tmp_path / "moved")
    told = problem("eval", bands, "--metric", "l1")
    assert f"{bands / 'recipe.toml'}: has the keys of data; change them there" in told
    recipe: dict[str, Any] = tomllib.loads((bands / "recipe.toml").read_text())
    recipe["data"]["root"] = str(tmp_path / "moved")
    (bands / "recipe.toml").write_text(tomli_w.dumps(recipe))
    succeeds("eval", bands, "--metric", "l1")
