"""How the process's allocator treats freed memory; for programs of ours, not for libraries."""

import ctypes
import platform
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_NEVER = 2**31 - 1
_AT_ONCE = 2**28


def keep_freed_memory(device: torch.device) -> None:
    """Have glibc's malloc keep what is freed, and take large blocks from there.

    By default it returns large blocks to the system at once, and every training step gets them
    again, page by page: for the paper's networks a sixth of the step. All threads share what is
    kept. Other allocators are left as they are.

    This changes the whole process, so only programs call it: the commands that compute, and a
    study's runs.

    Args:
        device: Where networks compute; only on a CPU is anything changed.
    """
    if device.type == "cpu" and platform.libc_ver()[0] == "glibc":
        _keep()


def give_back_freed_memory() -> None:
    """Return what is kept to the system, before work that won't find its blocks among it."""
    if _keep.cache_info().currsize:
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _keep() -> None:
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _NEVER)
    mallopt(_M_TOP_PAD, _AT_ONCE)
    mallopt(_M_ARENA_MAX, 1)
