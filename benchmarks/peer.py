"""The peer: junyanz/pytorch-CycleGAN-and-pix2pix, from the user's clone.

It runs unmodified, from a copy in a temporary folder. If the clone has the commit `COMMIT` of July
2022, the copy is that commit, whatever is checked out, so that everyone measures the same code.
"""

import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

NAME = "pytorch-CycleGAN-and-pix2pix"
COMMIT = "9f932ec"
PARTS = ("data", "models", "options", "util", "train.py", "test.py")

PAPER = ("--model", "pix2pix", "--netG", "unet_256", "--norm", "batch", "--direction", "BtoA")
"""Options for the paper's networks, from label maps (the right halves) to photos."""

TRAINING = ("--gan_mode", "vanilla", "--pool_size", "0", "--no_html", "--display_id", "-1")


@dataclass(frozen=True)
class Peer:
    """The peer's code.

    Args:
        folder: The folder of the code; this process can import from it.
        source: Name and commit of the code, as text.
    """

    folder: Path
    source: str

    def command(self, script: str, *arguments: object) -> list[str]:
        """The command line of one of its two programs, on a CPU."""
        if not importlib.util.find_spec("dominate"):
            raise SystemExit(f"{NAME} needs dominate: pip install dominate")
        return [sys.executable, str(self.folder / script), *self._arguments(arguments)]

    @property
    def checkpoints(self) -> Path:
        """The folder of its models, with one folder for each."""
        return self.folder / "checkpoints"

    def options(self, kind: str, *arguments: object) -> Any:
        """Parse arguments with its own parser, for `train` or `test`."""
        module = import_module(f"options.{kind}_options")
        with _command_line([kind, *self._arguments(arguments)]), redirect_stdout(io.StringIO()):
            return getattr(module, f"{kind.capitalize()}Options")().parse()

    def model(self, options: Any) -> Any:
        """Its model, ready for training."""
        with redirect_stdout(io.StringIO()):
            model = import_module("models").create_model(options)
            model.setup(options)
        return model

    def dataset(self, options: Any) -> Any:
        """Its data set; iterate over it for batches."""
        with redirect_stdout(io.StringIO()):
            return import_module("data").create_dataset(options)

    def save_generator(self, name: str) -> None:
        """Save a U-Net of the paper's size with random weights, as a training of that name would.

        Translation takes the same time as with trained weights.
        """
        networks = import_module("models.networks")
        with redirect_stdout(io.StringIO()):
            generator = networks.define_G(3, 3, 64, "unet_256", "batch", True)
        (self.checkpoints / name).mkdir(parents=True)
        torch.save(generator.state_dict(), self.checkpoints / name / "latest_net_G.pth")

    def _arguments(self, arguments: Sequence[object]) -> list[str]:
        own = ["--gpu_ids", "-1", "--checkpoints_dir", self.checkpoints]
        return [str(each) for each in (*own, *arguments)]


@contextmanager
def unpacked(clone: Path | None) -> Iterator[Peer]:
    """A context with the peer's code from a clone, which can be imported in it."""
    if clone is None:
        raise SystemExit(
            f"this benchmark needs {NAME}: git clone https://github.com/junyanz/{NAME}, and give "
            "the folder with --peer DIR"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _unpack(clone, folder)
        sys.path.insert(0, name)
        try:
            yield Peer(folder, source)
        finally:
            sys.path.remove(name)


def _unpack(clone: Path, folder: Path) -> str:
    """Copy the code into the folder; return its name and commit as text."""
    if _git(clone, "cat-file", "-e", f"{COMMIT}^{{commit}}").returncode == 0:
        archive = _git(clone, "archive", COMMIT, *PARTS)
        if archive.returncode == 0:
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as opened:
                opened.extractall(folder, filter="data")
            return f"{NAME} at commit {COMMIT}"
    missing = [part for part in PARTS if not (clone / part).exists()]
    if missing:
        raise SystemExit(
            f"{clone}: is not a clone of {NAME}: it has neither the commit {COMMIT} nor "
            f"{', '.join(missing)}"
        )
    for part in PARTS:
        if (clone / part).is_dir():
            shutil.copytree(clone / part, folder / part)
        else:
            shutil.copy(clone / part, folder)
    return f"{NAME}, the files in {clone.name} as they are"


def _git(clone: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, check=False)


@contextmanager
def _command_line(words: Sequence[str]) -> Iterator[None]:
    """A context in which `sys.argv` is `words`, because the peer's parser reads it."""
    before, sys.argv = sys.argv, list(words)
    try:
        yield
    finally:
        sys.argv = before
