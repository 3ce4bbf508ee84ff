"""Choice of the device and of the precision."""

import os
from typing import Literal

import torch

from i2i.errors import I2IError


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """The device with this name; `auto` is cuda, else mps, else cpu.

    Raises:
        I2IError: If the name is invalid, or this machine or build of torch lacks the device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", local_rank)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise I2IError(
            f"'{name}' is not a device: use auto, cpu, mps, cuda, or one GPU of several: cuda:1"
        ) from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(device.type, False):
        found = ", ".join(_found())
        raise I2IError(
            f"there is no device '{name}' here: torch {torch.__version__} finds {found}; use one "
            "of these, or 'auto' ('i2i doctor' shows what it chooses)"
        )
    return torch.device("cuda", local_rank) if name == "cuda" else device


def memory_of(device: torch.device) -> int | None:
    """Bytes of memory that a device has in all; None if the system doesn't tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def choose_precision(device: torch.device) -> Literal[32, "bf16-mixed"]:
    """The precision for `auto`: `bf16-mixed` on a CPU with fast bfloat16, else 32."""
    return "bf16-mixed" if device.type == "cpu" and has_fast_bf16() else 32


def has_fast_bf16() -> bool:
    """Whether the processor multiplies bfloat16 with AVX-512 or AMX instructions."""
    # Older versions of torch lack this function.
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _found() -> list[str]:
    """Names of the devices that i2i can compute on."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *mps, *(f"cuda:{i}" for i in range(cards))]
