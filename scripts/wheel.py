"""Builds the sdist and the wheel into dist/, and tries the wheel where nothing of i2i is.

    python scripts/wheel.py

The wheel is built from the sdist, then installed into an empty environment in a temporary folder.
There the program trains a small model on synthetic data, measures it and translates an image. It
also writes a plugin, which is installed and trained, and the plugins of the repository are
installed and checked. The first command that fails ends the program with its exit status.
`make wheel` and CI run this.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PLUGINS = sorted((ROOT / "plugins").iterdir())
# Without these the tests of an unpacked sdist can't run.
NEEDED = ("tests/conftest.py", "benchmarks/", "recipes/", "docs/", "scripts/", "locks/",
          "constraints.txt", "Makefile", "pyproject.toml", "LICENSE",
          *(f"plugins/{plugin.name}/" for plugin in PLUGINS))  # fmt: skip
RECIPE = """
name = "tiny"
data = { type = "synthetic", train = 16, val = 4, test = 4 }
augment = { load_size = 36, crop_size = 32 }
generator = { type = "unet", depth = 3, base_channels = 4 }
discriminator = { type = "patch", receptive_field = 16, base_channels = 4 }
losses = [{ type = "cgan" }, { type = "l1", weight = 100.0 }]
train = { max_steps = 10, batch_size = 2, device = "cpu" }
eval = { metrics = ["l1", "psnr"] }
"""
PICTURE = "from PIL import Image; Image.new('RGB', (40, 36), 'teal').save('picture.png')"


def do(*command: object, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command and show it; one that fails ends the program."""
    print("$", *command, flush=True)
    status = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **environment}, check=False
    ).returncode
    if status:
        sys.exit(status)


def environment(folder: Path) -> Path:
    """Make an empty environment; the folder of its programs."""
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def build(scratch: Path) -> Path:
    """Build both into dist/, in place of older ones; the wheel."""
    for old in (*DIST.glob("i2i-*.tar.gz"), *DIST.glob("i2i-*.whl")):
        old.unlink()
    programs = environment(scratch / "build")
    do(programs / "python", "-m", "pip", "install", "--quiet", "build")
    do(programs / "python", "-m", "build", "--outdir", DIST, ROOT)
    (sdist,) = DIST.glob("i2i-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    missing = [part for part in NEEDED if not any(name.startswith(part) for name in names)]
    if missing:
        sys.exit(f"{sdist.name} lacks what its tests need: {', '.join(missing)}")
    (wheel,) = DIST.glob("i2i-*.whl")
    return wheel


def attempt(wheel: Path, scratch: Path, constraints: list[str]) -> None:
    """Install the wheel into an empty environment and use it from an empty folder."""
    programs = environment(scratch / "empty")
    do(programs / "python", "-m", "pip", "install", "--quiet", *constraints, wheel)
    home = scratch / "home"
    home.mkdir()
    (home / "tiny.toml").write_text(RECIPE, encoding="utf-8")
    own = {"I2I_CACHE_DIR": str(scratch / "cache"), "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    do(programs / "python", "-c", PICTURE, cwd=home, **own)
    for command in (
        ("--version",),
        ("doctor",),
        ("list",),
        ("show", "generator", "unet"),
        ("check", "tiny.toml"),
        ("run", "tiny.toml"),
        ("eval", "runs/tiny", "--metric", "ssim"),
        ("translate", "runs/tiny", "picture.png", "--out", "translated"),
    ):
        do(programs / "i2i", *command, cwd=home, **own)
    if not (home / "runs" / "tiny" / "report.html").is_file():
        sys.exit("the run wrote no report.html")
    do(programs / "i2i", "plugin", "new", "own", cwd=home, **own)
    do(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", home / "i2i-own")
    do(programs / "i2i", "run", "i2i-own/recipe.toml", cwd=home, **own)
    do(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", *PLUGINS)
    do(programs / "i2i", "doctor", cwd=home, **own)
    for plugin in PLUGINS:
        do(programs / "python", "-m", "i2i.testing", "--plugin", plugin.name, cwd=home, **own)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--newest", action="store_true", help="Take the newest dependencies, not constraints.txt."
    )
    pinned = [] if parser.parse_args().newest else ["-c", str(ROOT / "constraints.txt")]
    with tempfile.TemporaryDirectory(prefix="i2i-wheel-") as folder:
        attempt(build(Path(folder)), Path(folder), pinned)
    print("The wheel works in an empty environment.")
