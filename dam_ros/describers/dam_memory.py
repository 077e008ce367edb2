"""What it looks like when torch runs out of memory. It knows no model."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dam_ros.core.errors import OutOfMemory

_SAID = ('out of memory', "can't allocate memory", 'ALLOC_FAILED')


@contextmanager
def out_of_memory(doing: str = 'describing', remedy: str = 'use smaller weights or fewer regions at once'
                  ) -> Iterator[None]:
    """torch has an error of its own for a GPU's memory, and any RuntimeError for the host's.

    Raises:
        OutOfMemory: for all of these.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = str(error).partition('\n')[0]
        if isinstance(error, RuntimeError) and not any(one in said for one in _SAID):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(f'no memory left while {doing} ({said or type(error).__name__}); {remedy}') from error
