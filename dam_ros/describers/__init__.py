"""Describers by name. Each is made by a factory `create(options) -> Describer` in a module of its own.

They do not know each other. `package.module:factory` brings a user's own.
"""
from __future__ import annotations

from collections.abc import Mapping
import importlib

from dam_ros.core.describing import Describer
from dam_ros.core.errors import DescriberFailed, Failure, complaint

_FACTORIES = {
    'attributes': 'dam_ros.describers.attributes:create',
    'dam': 'dam_ros.describers.dam:create',
    'rehearsal': 'dam_ros.describers.rehearsal:create',
    'remote': 'dam_ros.describers.remote:create',
}
NAMES = ('auto', *_FACTORIES)


def resolve(name: str, model: str = '') -> tuple[str, str]:
    """(name, why): `auto` becomes the describer it means here: dam where its weights are on disk, else attributes.

    Args:
        model: the weights that dam would load: hub id, folder, or '' for its own default.

    Raises:
        DescriberFailed: no name of a describer.
    """
    if name == 'auto':
        return _automatic(model)
    if name not in _FACTORIES and ':' not in name:
        raise DescriberFailed(complaint('describer', name, ', '.join(NAMES) + ' or package.module:factory'))
    return name, f'describer: {name}'


def _automatic(model: str) -> tuple[str, str]:
    from dam_ros.model import weights   # late: who names a describer needs nothing of the model's
    trouble = weights.why_not(model)
    if trouble:
        return 'attributes', f'auto: attributes, so colours, size and place only, for {trouble}'
    return 'dam', f'auto: dam, for the weights {model or weights.DEFAULT} are on disk'


def create(name: str, options: Mapping[str, object]) -> Describer:
    """A describer, loaded and ready.

    Args:
        options: `model` (hub id or folder) and what else the describer takes.

    Raises:
        Failure: it cannot be made; the message says what to do.
    """
    model = str(options.get('model') or '')
    if name == 'auto' and model:
        name = 'dam'   # who names weights here means dam; what is wrong with them, it says itself
    else:
        name, _ = resolve(name, model)
    path, _, factory = _FACTORIES.get(name, name).partition(':')
    try:
        make = getattr(importlib.import_module(path), factory)
    except Exception as error:   # noqa: B902  a user's module may raise anything, a name like ':x' ValueError
        if name in _FACTORIES:
            raise DescriberFailed(f'the describer {name} needs packages that this Python does not have ({error}): pip '
                                  f"install 'dam_ros[{name}]', or name one that has them in worker_python") from error
        raise DescriberFailed(complaint('describer', name, 'package.module:factory that can be imported',
                                        f'{type(error).__name__}: {error}')) from error
    try:
        return make(options)
    except Failure:
        raise
    except Exception as error:   # noqa: B902  a user's factory may raise anything
        raise DescriberFailed(f'describer {name} could not be made: {type(error).__name__}: {error}') from error
