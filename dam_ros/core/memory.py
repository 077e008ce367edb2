"""Tells the C allocator what to do with large blocks: give them back, or keep them. It knows no node and no picture."""
from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8   # malloc.h of glibc
_LARGE_BYTES = 1 << 20
_KEPT_BYTES, _KEPT_BLOCK_BYTES = 64 << 20, 32 << 20   # 32 MB is the most that glibc takes from its heap


def keep_flat() -> None:
    """Large blocks get pages of their own, which go back to the system when freed; all threads share one heap.

    For a process that many frames come to and few are looked at. glibc raises its threshold to 32 MB as soon as the
    first frame is freed, and then lays frames between small things: 1000 requests on a 720p camera took a node from
    272 to 380 MB. With a threshold of 1 MB it stays flat.
    """
    _mallopt((_M_MMAP_THRESHOLD, _LARGE_BYTES), (_M_ARENA_MAX, 1))


def keep_room() -> None:
    """Freed blocks of up to 32 MB stay with the process, 64 MB in all, for the next picture.

    For a process that decodes one picture after another: fresh pages for a JPEG of 1280x720 took 4 ms, as long as its
    decoding.
    """
    _mallopt((_M_TRIM_THRESHOLD, _KEPT_BYTES), (_M_MMAP_THRESHOLD, _KEPT_BLOCK_BYTES))


def _mallopt(*settings: tuple[int, int]) -> None:
    if not sys.platform.startswith('linux'):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):   # another C library, such as musl
        return
    for name, value in settings:
        mallopt(name, value)
