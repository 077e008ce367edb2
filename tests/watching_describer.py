"""A describer as a user would bring it: says where in the picture red begins, and where the region does."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dam_ros.core.describing import Piece, Query, Subject


def create(options: Mapping[str, object]) -> Watching:
    return Watching(options.get('greeting', 'Seen'))


class Sight:
    """The left edge, in px, of what is red, and of the region; -1 where there is none."""

    def __init__(self, subject: Subject):
        red = (subject.image[:, :, 0] > 150) & (subject.image[:, :, 1] < 90)
        self.red = int(np.flatnonzero(red.any(axis=0))[0]) if red.any() else -1
        self.region = int(np.flatnonzero(subject.mask.any(axis=0))[0])

    def close(self) -> None:
        pass


@dataclass(eq=False)
class Word:
    """A telling of one piece."""

    text: str
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


class Watching:
    """See `dam_ros.core.describing.Describer`."""

    name, model, languages = 'watching', 'eyes@1', ('en',)
    capacity, max_pictures = 2, 1

    def __init__(self, greeting: str):
        self._greeting = greeting
        self._running: list[Word] = []

    def look(self, subjects: Sequence[Subject]) -> list[Sight]:
        return [Sight(one) for one in subjects]

    def begin(self, look: Sight, query: Query) -> Word:
        self._running.append(Word(f'{self._greeting}: the picture is red at {look.red}, the region begins at '
                                  f'{look.region}.'))
        return self._running[-1]

    def step(self) -> list[tuple[Word, Piece]]:
        running, self._running = self._running, []
        return [(one, Piece(one.text, last=True)) for one in running if not one.stopped]

    def close(self) -> None:
        self._running.clear()
