"""Names of label values: from a parameter file, and from what a segmentation says of itself. No file, no message."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import re

from dam_ros.core.errors import complaint
from dam_ros.core.settings import SettingsError

_NUMBER = re.compile('-?[0-9]{1,10}')
_LOW, _HIGH = -2 ** 31, 2 ** 31 - 1
MAX_NAME = 200


class LabelNames(Mapping):
    """Label value -> name. What was heard counts more than what a file says; read and replaced in any thread."""

    def __init__(self, from_file: Mapping[int, str] | None = None):
        self._from_file = dict(from_file or {})
        self._heard: dict[int, str] = {}

    def hear(self, pairs: Iterable[tuple[int, str]]) -> None:
        """(value, name): all there are now, in place of what was heard before."""
        self._heard = {value: shown for value, name in pairs if (shown := clean(name))}

    def __getitem__(self, label: int) -> str:
        heard = self._heard
        return heard[label] if label in heard else self._from_file[label]

    def __iter__(self) -> Iterator[int]:
        return iter({**self._from_file, **self._heard})

    def __len__(self) -> int:
        return len({**self._from_file, **self._heard})


def names_in(loaded: object, source: str) -> dict[int, str]:
    """The names in a file that was read as YAML or JSON: a mapping of numbers to names, also below `names`.

    Raises:
        SettingsError: it is none; names the entry.
    """
    if isinstance(loaded, Mapping) and isinstance(loaded.get('names'), (Mapping, list)):
        loaded = loaded['names']   # as detectors' data files have it
    if isinstance(loaded, list):
        loaded = dict(enumerate(loaded))
    if not isinstance(loaded, Mapping):
        raise SettingsError(complaint('label_names_file', source, 'a YAML or JSON file with a line such as `1: cup` '
                                      'for each label value', f'It has {type(loaded).__name__}'))
    return dict(_entry(key, name, source) for key, name in loaded.items())


def _entry(key: object, name: object, source: str) -> tuple[int, str]:
    value = int(key) if isinstance(key, int) or (isinstance(key, str) and _NUMBER.fullmatch(key)) else None
    if value is None or isinstance(key, bool) or not _LOW <= value <= _HIGH:
        raise SettingsError(complaint(f'a label value in label_names_file {source}', key, 'a whole number of 32 bits'))
    if not isinstance(name, str) or not clean(name) or len(name) > MAX_NAME:
        raise SettingsError(complaint(f'the name of {value} in label_names_file {source}', name,
                                      f'a text of 1 to {MAX_NAME} characters', 'Put quotes around words such as no and '
                                      'around numbers'))
    return value, clean(name)


def clean(name: str) -> str:
    """One line without NUL, which rmw cannot carry."""
    return ' '.join(name.replace('\0', ' ').split())[:MAX_NAME]
