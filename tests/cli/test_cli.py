"""The program as a user sees it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from i2i.errors import I2IError
from i2i.plugins.manager import registry
from i2i.system.devices import choose_device
from tests.conftest import ROOT
from tests.processes import Run
from tests.terminal import on_a_terminal

Start = Callable[..., Run]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["run", "--help"], ["study", "--help"], ["--version"]]
)
def test_looking_around_imports_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom i2i.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'timm', 'torchmetrics', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", registry().names("command"))
def test_every_command_has_help_that_teaches(i2i: Start, command: str) -> None:
    run = i2i(command, "--help")
    assert run.status == 0
    assert "Usage: i2i" in run.output
    assert len(run.output.splitlines()) > 5
    assert "\\b" not in run.output
    assert command in i2i("--help").wait().output


def test_list_names_every_kind_and_what_it_has(i2i: Start) -> None:
    everything = i2i("list").wait().output
    for word in ("generators", "unet", "encoder_decoder", "cgan", "facades", "psnr", "pix2pix"):
        assert word in everything
    losses = i2i("list", "losses").wait().output
    assert "l2" in losses
    assert "unet" not in losses
    assert i2i("list", "loss").wait().output == losses


def test_an_unknown_kind_or_command_is_answered_with_the_nearest(i2i: Start) -> None:
    run = i2i("list", "generater")
    assert run.status == 1
    assert "did you mean 'generator'?" in run.errors
    run = i2i("runn")
    assert run.status == 2
    assert "did you mean 'run'?" in run.errors


def test_show_gives_options_types_defaults_and_the_plugin(i2i: Start) -> None:
    shown = i2i("show", "generator", "unet").wait().output
    assert "a generator of i2i.generators" in shown
    assert "[generator]" in shown
    assert "depth = 8" in shown
    assert "≥ 3, ≤ 10" in shown
    assert '"transposed" | "resize"' in shown
    assert "in_channels" in shown
    assert 'objective = "bce"' in i2i("show", "losses", "cgan").wait().output


def test_show_tells_a_metric_s_options_as_they_are_written(i2i: Start) -> None:
    shown = i2i("show", "metric", "kid").wait().output
    assert '[eval]\nmetrics = ["kid"]\n' in shown
    assert "# kid:preset=clean " in shown


def test_check_tells_parameters_and_shapes(i2i: Start, facades: Path) -> None:
    recipe = ROOT / "recipes" / "pix2pix_facades.toml"
    root = ("--set", f"data.root={facades}")
    told = i2i("check", recipe, *root).wait().output
    assert "54,413,955 parameters   3x256x256 -> 3x256x256" in told
    assert "2,768,705 parameters   6x256x256 -> 1x30x30" in told
    told = i2i("check", recipe, *root, "--set", "generator.type=encoder_decoder").wait().output
    assert "39,075,459" in told
    for field, parameters, side in ((16, "139,585", 126), (286, "11,159,361", 6)):
        told = (
            i2i("check", recipe, *root, "--set", f"discriminator.receptive_field={field}")
            .wait()
            .output
        )
        assert f"{parameters} parameters   6x256x256 -> 1x{side}x{side}" in told


def test_check_prints_the_resolved_recipe(i2i: Start, write_recipe: Callable[..., Path]) -> None:
    told = i2i("check", write_recipe(), "--resolved").wait().output
    assert 'upsampling = "transposed"' in told


def test_doctor_shows_versions_device_plugins_and_cache(i2i: Start, tmp_path: Path) -> None:
    run = i2i("doctor")
    assert run.status == 0, run.output
    for word in ("torch", "device used", "cpu", "plugins", str(tmp_path / "cache")):
        assert word in run.output


def test_a_broken_plugin_leaves_the_program_working_and_doctor_shows_why(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    (tmp_path / "i2i_bad.py").write_text("def f():\n    raise RuntimeError('no luck')\nf()\n")
    info = tmp_path / "i2i_bad-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: i2i-bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[i2i]\nbad = i2i_bad\n")

    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "i2i", *arguments],
            env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "I2I_CACHE_DIR": str(tmp_path / "cache")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert program("--help").returncode == 0
    listed = program("list")
    assert listed.returncode == 0
    assert "i2i-bad" in listed.stderr
    assert program("check", str(write_recipe())).returncode == 0
    doctor = program("doctor")
    assert doctor.returncode == 1
    assert "i2i_bad.py" in doctor.stdout
    assert "RuntimeError: no luck" in doctor.stdout


def test_a_run_leaves_everything_in_its_folder(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    run = i2i("run", write_recipe(eval={"metrics": ["l1", "psnr", "ssim"]}))
    assert run.status == 0, run.output
    folder = tmp_path / "runs" / "tiny"
    for name in ("recipe.toml", "environment.json", "metrics.jsonl", "report.html"):
        assert (folder / name).is_file()
    assert [p.name for p in sorted((folder / "samples").iterdir())] == [
        "input",
        "step-00000003",
        "step-00000006",
        "target",
    ]
    assert len(list((folder / "samples" / "step-00000006").iterdir())) == 2
    result = json.loads((folder / "evaluation/metrics.json").read_text())
    assert result["images"] == 4
    assert set(result["metrics"]) == {"l1", "psnr", "ssim"}
    images = sorted((folder / "evaluation/images").iterdir())
    assert len(images) == 4
    output = np.asarray(Image.open(images[0]))
    assert output.shape == (32, 32, 3)
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["data"]["pairs"] == {"train": 12, "val": 4, "test": 4}
    assert environment["versions"]["torch"]
    page = (folder / "report.html").read_text()
    assert "Test results" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_bootstrap_samples_give_every_metric_an_interval(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    metrics = ["l1", "lab_histogram"]
    run = i2i("run", write_recipe(eval={"metrics": metrics, "bootstrap": 50}))
    assert run.status == 0, run.output
    folder = tmp_path / "runs" / "tiny"
    details = json.loads((folder / "evaluation/metrics.json").read_text())["details"]
    page = (folder / "report.html").read_text()
    for metric in metrics:
        low, high = details[metric]["interval"]
        assert len(details[metric]["bootstrap"]) == 50
        assert low < details[metric]["value"] < high
        assert f"[{low:.4f}, {high:.4f}]" in run.output
        assert f"[{low:.4f}, {high:.4f}]" in page


def test_a_second_run_in_the_same_folder_is_refused_unless_told(
    i2i: Start, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe()
    assert i2i("run", recipe).status == 0
    again = i2i("run", recipe)
    assert again.status == 1
    assert "--resume" in again.errors
    assert "--overwrite" in again.errors
    assert i2i("run", recipe, "--overwrite").status == 0


def test_a_run_goes_on_only_with_its_own_recipe_and_data(
    i2i: Start, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe()
    assert i2i("run", recipe).status == 0
    other = i2i("run", recipe, "--resume", "--set", "augment.flip=false", "--set", "seed=3")
    assert other.status == 1
    assert "augment.flip was True and is False" in other.errors
    assert "seed was 0 and is 3" in other.errors
    assert i2i("run", recipe, "--resume", "--set", "train.max_steps=8").status == 0


@pytest.mark.parametrize(
    "losses",
    ["l1", "l2", "gan", "cgan", "l1 gan", "l1 cgan"],
)
def test_any_combination_of_losses_trains_from_set(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path], losses: str
) -> None:
    types = losses.split()
    inline = ", ".join(f'{{type = "{name}"}}' for name in types)
    run = i2i("run", write_recipe(), "--set", f"losses=[{inline}]", "--max-steps", 2)
    assert run.status == 0, run.output
    line = json.loads((tmp_path / "runs/tiny/metrics.jsonl").read_text().splitlines()[0])
    adversarial = [f"discriminator.{name}" for name in types if name.endswith("gan")]
    assert set(line["losses"]) == {*types, *adversarial}
    assert ("discriminator" in run.output) == bool(adversarial)


def test_a_ten_line_recipe_trains(i2i: Start, tmp_path: Path) -> None:
    (tmp_path / "ten.toml").write_text(
        'name = "ten"\n[data]\ntype = "synthetic"\ntrain = 4\nval = 2\ntest = 2\n'
        '[augment]\ncrop_size = 64\n[generator]\ntype = "unet"\ndepth = 6\nbase_channels = 4\n'
        '[[losses]]\ntype = "l1"\n'
    )
    assert i2i("run", "ten.toml", "--max-steps", "2").status == 0


def test_report_is_made_again_from_the_folder(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    assert i2i("run", write_recipe()).status == 0
    page = tmp_path / "runs/tiny/report.html"
    page.unlink()
    assert i2i("report", "runs/tiny").status == 0
    assert "Test results" in page.read_text()
    nowhere = i2i("report", "runs")
    assert nowhere.status == 1
    assert "is not a run" in nowhere.errors


def test_a_size_that_the_network_cannot_take_names_one_that_it_can(
    i2i: Start, write_recipe: Callable[..., Path]
) -> None:
    run = i2i("run", write_recipe(augment={"load_size": 60, "crop_size": 50}))
    assert run.status == 2
    assert "multiples of 8" in run.errors
    assert "56" in run.errors
    run = i2i("run", write_recipe(discriminator={"type": "patch", "receptive_field": 142}))
    assert run.status == 2
    assert "at least 48x48" in run.errors


def test_an_error_shows_its_traceback_only_with_debug(i2i: Start) -> None:
    assert "Traceback" not in i2i("check", "none.toml").wait().errors
    assert "Traceback" in i2i("--debug", "check", "none.toml").wait().errors


def test_rectangular_images_and_every_precision_train(
    i2i: Start, write_recipe: Callable[..., Path]
) -> None:
    sizes: Any = {"load_size": [36, 52], "crop_size": [32, 48]}
    for precision in (32, "bf16-mixed"):
        recipe = write_recipe(augment=sizes, train={"precision": precision, "max_steps": 2})
        run = i2i("run", recipe, "--overwrite")
        assert run.status == 0, run.output


def test_a_device_that_is_not_there_is_named(i2i: Start, write_recipe: Callable[..., Path]) -> None:
    run = i2i("run", write_recipe(train={"device": "cuda:7"}))
    assert run.status == 1
    assert "there is no device 'cuda:7' here: torch" in run.errors
    assert "train.device" not in run.errors


@pytest.mark.parametrize("name", ["foo", "cuda:", "meta", "xpu:0", "cuda:99"])
def test_devices_that_can_t_be_used_are_told_in_one_line(name: str) -> None:
    with pytest.raises(I2IError, match=f"'{name}'") as raised:
        choose_device(name)
    assert "\n" not in str(raised.value)
    assert "auto" in str(raised.value)


def test_warnings_of_ours_are_one_plain_line() -> None:
    code = (
        "import warnings\nfrom i2i.cli import main\n"
        "try: main(['--version'])\nexcept SystemExit: pass\n"
        "from i2i.images import cmyk\n"
        "exec(compile('cmyk.warn_once(\"a.tif\")', cmyk.__file__, 'exec'))\n"
        "warnings.warn('of others')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours, others = done.stderr.splitlines()[:2]
    assert ours.startswith("Warning: CMYK images are converted to RGB")
    assert others == "<string>:7: UserWarning: of others"


def test_a_terminal_shows_progress_losses_speed_and_time_left(
    tmp_path: Path, write_recipe: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shown = on_a_terminal("-m", "i2i", "run", str(write_recipe()), columns=160, cwd=tmp_path)
    for part in ("decoding train", "6/6", "discriminator.cgan", "images/s", "epoch", "0:00 left"):
        assert part in shown, part


def test_a_stand_in_is_announced_everywhere(i2i: Start, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(
        'name = "r"\n[data]\ntype = "facades"\nfallback = "synthetic"\n'
        'url = "http://127.0.0.1:1/facades.tar.gz"\n[augment]\ncrop_size = 32\n'
        '[generator]\ntype = "unet"\ndepth = 3\nbase_channels = 2\n[[losses]]\ntype = "l1"\n'
        '[eval]\nmetrics = ["l1"]\n'
    )
    run = i2i("run", "r.toml", "--max-steps", "1")
    assert run.status == 0, run.output
    assert "SYNTHETIC" in run.output
    folder = tmp_path / "runs/r"
    assert "SYNTHETIC" in json.loads((folder / "environment.json").read_text())["data"]["notice"]
    assert "SYNTHETIC" in (folder / "report.html").read_text()
    strict = i2i("run", "r.toml", "--set", "data.fallback=error", "--out", "other")
    assert strict.status == 2
    assert "data.root" in strict.errors
