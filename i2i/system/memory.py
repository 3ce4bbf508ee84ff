"""Settings of malloc for i2i's own commands; library code must not change them."""

import ctypes
import platform
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_NEVER = 2**31 - 1
_AT_ONCE = 2**28


def keep_freed_memory(device: torch.device) -> None:
    """Make glibc's malloc keep freed memory and reuse it for large blocks.

    By default malloc returns large blocks to the system at once, and every training step requests
    them again, page by page. With the paper's networks this takes a sixth of a step. All threads
    share the kept memory. Other allocators are not changed.

    The setting affects the whole process, so only i2i's programs call this function: the commands
    that compute, and a study's runs.

    Args:
        device: Device of the networks; nothing changes unless it is a CPU.
    """
    if device.type == "cpu" and platform.libc_ver()[0] == "glibc":
        _keep()


def give_back_freed_memory() -> None:
    """Return the kept memory to the system, before work that can't reuse its blocks."""
    if _keep.cache_info().currsize:
        ctypes.CDLL(None).malloc_trim(0)


@cache
def _keep() -> None:
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _NEVER)
    mallopt(_M_TOP_PAD, _AT_ONCE)
    mallopt(_M_ARENA_MAX, 1)
