"""What speech_node keeps over restarts: how fast the person wants it, and that it has introduced itself. Nothing else.

It does not know what the numbers are used for.
"""
from __future__ import annotations

from contextlib import suppress
import json
import os
from pathlib import Path


class Remembered:
    """One small JSON file, written at every change. Where it cannot be read or written nothing is remembered.

    Args:
        folder: '' = $XDG_STATE_HOME/dam_ros, or ~/.local/state/dam_ros.
        node: full name of the node, so that two nodes never share a file.

    Attributes:
        rate_wpm: as the person set it, 0 = never.
        instead_of_wpm: the parameter it replaces: whoever changes that in a file wants the new one.
        introduced: whether the greeting was spoken.
        trouble: why it cannot be kept, '' it can.
    """

    def __init__(self, folder: str, node: str):
        name = f"{node.strip('/').replace('/', '.')}.json"
        self._path = (Path(folder).expanduser() if folder else _usual_folder()) / name
        self.rate_wpm = self.instead_of_wpm = 0.0
        self.introduced = False
        self.trouble = ''
        with suppress(OSError, ValueError):
            kept = json.loads(self._path.read_text(encoding='utf-8'))
            self.rate_wpm, self.instead_of_wpm = _number(kept, 'rate_wpm'), _number(kept, 'instead_of_wpm')
            self.introduced = kept.get('introduced') is True

    def rate(self, parameter_wpm: float) -> float:
        """The rate to begin with, where the parameter says this."""
        known = 80.0 <= self.rate_wpm <= 500.0 and self.instead_of_wpm == parameter_wpm
        return self.rate_wpm if known else parameter_wpm

    def keep_rate(self, rate_wpm: float, parameter_wpm: float) -> None:
        self.rate_wpm, self.instead_of_wpm = rate_wpm, parameter_wpm
        self._write()

    def keep_introduced(self) -> None:
        self.introduced = True
        self._write()

    def _write(self) -> None:
        kept = {'rate_wpm': self.rate_wpm, 'instead_of_wpm': self.instead_of_wpm, 'introduced': self.introduced}
        new = self._path.with_suffix('.new')
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(kept), encoding='utf-8')
            os.replace(new, self._path)
            self.trouble = ''
        except OSError as error:
            self.trouble = f'{self._path} cannot be written: {error.strerror or error}; set state_dir'


def _usual_folder() -> Path:
    state = os.environ.get('XDG_STATE_HOME', '')
    return (Path(state) if os.path.isabs(state) else Path('~/.local/state').expanduser()) / 'dam_ros'


def _number(kept: dict, name: str) -> float:
    value = kept.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
