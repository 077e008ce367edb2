"""What a process does with the memory of pictures that it has let go of. It knows no pictures."""
from __future__ import annotations

import ctypes

_PAD = 32 << 20   # bytes that stay on top of what each thread's allocator holds; a picture of 1280x720 takes 3 MB
_TOP_PAD = -2     # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Once, at the start of a process: the next picture lies where the last one lay.

    glibc gives memory back to the system as soon as it is free. Then each picture of 1280x720 came with 1352 page
    faults, which took longer than decoding it; so there were none. Where there is no glibc nothing happens.
    """
    try:
        ctypes.CDLL(None).mallopt(_TOP_PAD, _PAD)
    except (OSError, AttributeError):
        pass
