"""The project's own tiny checkpoints of random numbers: the official layout and the real code path, without weights."""
from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path
import shutil
import tempfile

from dam_ros.model.random_checkpoint import Sizes, write

SMALL = {'side_px': 210}   # 15 x 15 patches: a real picture's 27 x 27 take three times as long
SEED = 13   # its texts are of several words, and end by themselves


@cache
def checkpoint(kind: str = 'image', **sizes) -> Path:
    """A folder that lives as long as the test process."""
    root = Path(tempfile.mkdtemp(prefix='tiny-dam-'))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return write(root / kind, Sizes(kind=kind, **{**SMALL, **sizes}), SEED)


def options(kind: str = 'image', **more) -> dict:
    """Of `describers.create('dam', ...)`."""
    return {'model': str(checkpoint(kind)), 'device': 'cpu', **more}
