"""Segmenters by name. They do not know each other."""
from __future__ import annotations

import importlib
import importlib.util

from dam_ros.core.errors import SegmenterFailed, complaint
from dam_ros.core.segmenting import Segmenter

NAMES = ('auto', 'grabcut', 'sam', 'none')
_PACKAGES = ('torch', 'transformers')   # of sam


def resolve(name: str, model: str = '') -> tuple[str, str]:
    """(name, why): `auto` becomes what it means here: sam where its weights and packages are, else grabcut.

    It imports neither torch nor transformers.

    Args:
        model: the weights that sam would load: hub id, folder, or '' for its default.

    Raises:
        SegmenterFailed: no name of a segmenter.
    """
    if name not in NAMES:
        raise SegmenterFailed(complaint('segmenter', name, ', '.join(NAMES)))
    if name != 'auto':
        return name, f'segmenter: {name}'
    from dam_ros.segmenters import sam_files   # late: who names a segmenter needs no weights
    trouble = _missing() or sam_files.why_not(model)
    if trouble:
        return 'grabcut', f'auto: grabcut, for {trouble}'
    return 'sam', f'auto: sam, for the weights {model or sam_files.DEFAULT} are on disk'


def create(name: str, model: str = '', device: str = 'auto') -> Segmenter | None:
    """A segmenter, loaded and ready; None for 'none'.

    Args:
        model: weights of sam: hub id, folder, or '' for its default; `auto` with a model means sam.
        device: of sam: 'auto', 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        SegmenterFailed: it cannot be made; the message says what to do.
        OutOfMemory: it does not fit.
    """
    if name == 'auto' and model:
        name = 'sam'   # what is wrong with weights that somebody named, it says itself
    name, _ = resolve(name, model)
    if name == 'none':
        return None
    if name == 'grabcut':
        from dam_ros.segmenters import grabcut
        return grabcut.create()
    trouble = _missing()
    if trouble:
        raise SegmenterFailed(f'the segmenter sam cannot be made: {trouble}')
    try:
        sam = importlib.import_module('dam_ros.segmenters.sam')
    except ImportError as error:   # there, but broken or too old
        raise SegmenterFailed(f'the segmenter sam cannot be made: {_remedy(str(error))}') from error
    return sam.create(model, device)


def _missing() -> str:
    """Why this Python cannot run sam, '' = it can."""
    lacking = [one for one in _PACKAGES if importlib.util.find_spec(one) is None]
    return _remedy(f'no {" and no ".join(lacking)}') if lacking else ''


def _remedy(trouble: str) -> str:
    return (f"it needs packages that this Python does not have ({trouble}): pip install 'dam_ros[sam]', or name one "
            'that has them in worker_python')
