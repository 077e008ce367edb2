"""What the person has heard the beginning of, and which of it `repeat`, `more`, `ask`, `back` and `next` mean.

It does not know how anything came to be spoken.
"""
from __future__ import annotations

import math

from dam_ros.core.recent import Recent
from dam_ros.core.speakable import Sentence
from dam_ros.core.speech_acts import Request

_THINGS = 32          # so far back one can go
_DESCRIPTIONS = 256   # ids


class Heard:
    """Attributes:
    last: what the person heard last the beginning of (the system's own phrases do not count), or None.
    uttered: what was begun last, which may have been it once more, or more of it; or None.
    when: s, when that was.
    spoken: the last Sentence of it that was begun, or None.
    """

    def __init__(self):
        self.last: Request | None = None
        self.uttered: Request | None = None
        self.when = -math.inf
        self.spoken: Sentence | None = None
        self._things: list[Request] = []
        self._sentences: Recent[set[str]] = Recent(_DESCRIPTIONS)

    def begun(self, now: float, request: Request, sentence: Sentence) -> None:
        """The first sample of this sentence is out."""
        if request.own:
            return
        self.spoken = sentence
        thing = request.origin or request
        if thing not in self._things:
            self._things = [*self._things[1 - _THINGS:], thing]
        self.last, self.uttered, self.when = thing, request, now
        if request.about:
            self.of(request.about).add(same(sentence.source or sentence.text))

    def beside(self, step: int) -> Request | None:
        """What was heard before (-1) or after (1) the last thing, None at an end."""
        if self.last is None:
            return None
        index = self._things.index(self.last) + step
        return self._things[index] if 0 <= index < len(self._things) else None

    def of(self, about: str) -> set[str]:
        """The sentences (in the form of `same`) of this description that the person has heard the beginning of."""
        known = self._sentences.get(about)
        return self._sentences.put(about, set() if known is None else known)

    def share(self, about: str, source: str) -> None:
        """What was heard of `source` counts for `about` as well: it is the same thing told in more detail."""
        self._sentences.put(about, self.of(source))


def same(sentence: str) -> str:
    """The form in which two sentences are compared: case, space and the last stop do not matter."""
    return ' '.join(sentence.casefold().split()).rstrip('.!?\u3002 ')
