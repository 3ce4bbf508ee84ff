"""Memory that one step frees, kept for the next, and given back before something else is done."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_NEVER = 2**31 - 1
_AT_ONCE = 2**28


def keep_freed_memory() -> None:
    """Have glibc keep what is freed, and take large blocks from there.

    By default it returns large blocks to the system at once, and every step gets them again, page
    by page: for the paper's networks a sixth of the step. All threads share what is kept. Other
    allocators are left as they are.
    """
    if _has_glibc():
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)
        mallopt(_M_TOP_PAD, _AT_ONCE)
        mallopt(_M_ARENA_MAX, 1)


def give_back_freed_memory() -> None:
    """Return what is kept to the system, before work that won't find its blocks among it."""
    if _has_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _has_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
