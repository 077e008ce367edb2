"""The smallest describer of your own: it says the mean colour. Everything else of dam_ros works with it at once.

    PYTHONPATH=$PWD/examples:$PYTHONPATH ros2 run dam_ros describe_node --ros-args -p describer:=own_describer:create

What each method is for, and what it may raise, is in dam_ros/core/describing.py.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from dam_ros.core.describing import Piece, Query, Subject
from dam_ros.core.errors import Unsupported, complaint


def create(options: Mapping[str, object]) -> MeanColour:
    """`options`: the parameter `describer_options` as a dict, and `model`. Load weights here; take your time."""
    return MeanColour()


class _Look:
    """What was found by looking, kept for further questions."""

    def __init__(self, subject: Subject):
        red, green, blue = subject.image[subject.mask].mean(axis=0).round().astype(int)
        self.colour = f'#{red:02x}{green:02x}{blue:02x}'

    def close(self) -> None:
        pass


class _Telling:
    """One running answer: the words that are still to come."""

    def __init__(self, words: list[str], most: int):
        self.words, self.truncated = words[:most], len(words) > most

    def stop(self) -> None:
        self.words = []


class MeanColour:
    name, model = 'mean_colour', ''
    languages = ('en',)
    capacity = 4        # answers at once
    max_pictures = 1    # no clips

    def __init__(self):
        self._running: list[_Telling] = []

    def look(self, subjects: Sequence[Subject]) -> list[_Look]:
        return [_Look(subject) for subject in subjects]

    def begin(self, look: _Look, query: Query) -> _Telling:
        if query.language.split('-')[0] not in ('', *self.languages):
            raise Unsupported(complaint('language', query.language, ', '.join(self.languages)))
        telling = _Telling(['Its', ' mean', ' colour', ' is', f' {look.colour}.'], query.max_tokens)
        self._running.append(telling)
        return telling

    def step(self) -> list[tuple[_Telling, Piece]]:
        """One word for each that runs."""
        self._running = [telling for telling in self._running if telling.words]
        return [(telling, self._next(telling)) for telling in self._running]

    def _next(self, telling: _Telling) -> Piece:
        word, last = telling.words.pop(0), not telling.words
        return Piece(word, last=last, truncated=last and telling.truncated, language='en' if last else '')

    def close(self) -> None:
        self._running.clear()
