"""Segmenters by name. They do not know each other."""
from __future__ import annotations

import importlib

from dam_ros.core.errors import SegmenterFailed, complaint
from dam_ros.core.segmenting import Segmenter

_FACTORIES = {'grabcut': 'dam_ros.segmenters.grabcut'}


def create(name: str) -> Segmenter | None:
    """A segmenter, None for 'none'. Raises SegmenterFailed for a name that is none."""
    if name == 'none':
        return None
    if name not in _FACTORIES:
        raise SegmenterFailed(complaint('segmenter', name, ', '.join((*_FACTORIES, 'none'))))
    return importlib.import_module(_FACTORIES[name]).create()
