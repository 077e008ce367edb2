"""The describer rehearsal, that also writes down when it says what: a line (monotonic s, text) per piece in a file."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import time

from dam_ros.core.describing import Piece, Telling
from dam_ros.describers import rehearsal


class Timed:
    """The time is taken when a piece is made, before it has left the worker."""

    def __init__(self, inner: rehearsal.Rehearsal, log: Path):
        self._inner, self._log = inner, log

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def step(self) -> list[tuple[Telling, Piece]]:
        pieces, now = self._inner.step(), time.monotonic()
        with self._log.open('a') as file:
            file.writelines(f'{now}\t{piece.text.strip()}\n' for _, piece in pieces)
        return pieces


def create(options: Mapping[str, object]) -> Timed:
    """Options: those of rehearsal, and `log`, a path."""
    rest = {name: value for name, value in options.items() if name != 'log'}
    return Timed(rehearsal.create(rest), Path(str(options['log'])))
