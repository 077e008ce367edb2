"""One JSON file of a checkpoint, read with suspicion. It does not know what the fields mean."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dam_ros.core.errors import DescriberFailed, complaint
from dam_ros.model.layout import PARTS

_MOST = 1 << 18   # of any size: products of four of them fit into what torch counts with
_HUGE = 1e30      # of float32


class ConfigFile:
    """One JSON file; every complaint names it and the field."""

    def __init__(self, root: Path, name: str, optional: bool = False):
        self.name = name
        try:
            self.values = json.loads((root / name).read_text(encoding='utf-8'))
        except FileNotFoundError:
            if not optional:
                raise DescriberFailed(f'the checkpoint {root} has no {name}; give the folder that holds config.json, '
                                      + ', '.join(PARTS)) from None
            self.values = {}
        except (OSError, ValueError, RecursionError) as error:
            raise DescriberFailed(f'{root / name} cannot be read as JSON ({error}); fetch the checkpoint again'
                                  ) from error
        if not isinstance(self.values, dict):
            raise self.wrong('', self.values, 'a JSON object')

    def wrong(self, field: str, value: object, allowed: str) -> DescriberFailed:
        return DescriberFailed(complaint(f'{self.name}: {field}' if field else self.name, value, allowed,
                                         'Only what published checkpoints of DAM have is supported'))

    def within(self, field: str) -> ConfigFile:
        """The object in a field, an empty one where there is none."""
        inner = object.__new__(ConfigFile)
        inner.name, inner.values = f'{self.name}: {field}', self._of(field, {})
        if not isinstance(inner.values, dict):
            raise self.wrong(field, inner.values, 'an object or null')
        return inner

    def whole(self, field: str, default: int | None = None, least: int = 1, most: int = _MOST) -> int:
        value = self._of(field, default)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(field, value, f'a whole number, {least} to {most}')
        return value

    def number(self, field: str, default: float | None = None) -> float:
        value = self._of(field, default)
        if type(value) not in (int, float) or not 0 < value <= _HUGE:   # false for NaN, too
            raise self.wrong(field, value, 'a number above 0')
        return float(value)

    def switch(self, field: str, default: bool) -> bool:
        value = self._of(field, default)
        if type(value) is not bool:
            raise self.wrong(field, value, 'true or false')
        return value

    def choice(self, field: str, allowed: tuple, default: object = None) -> Any:
        value = self._of(field, default)
        if value not in allowed:
            raise self.wrong(field, value, ', '.join(str(one) for one in allowed))
        return value

    def _of(self, field: str, default: object) -> object:
        value = self.values.get(field)
        return default if value is None else value
