"""What a person has silenced: all until now, certain answers, what nobody asked for. It does not know who speaks."""
from __future__ import annotations

from collections.abc import Iterable
import math

from dam_ros.core.recent import Recent
from dam_ros.core.speech_acts import Request

_REMEMBERED = 256   # ids


class Silence:
    """Attribute `only_answers`: nothing volunteered is spoken (`quiet`)."""

    def __init__(self):
        self.only_answers = False
        self._hushed_at = self._quiet_until = -math.inf
        self._ids: Recent[None] = Recent(_REMEMBERED)

    def hush(self, now: float, quiet_s: float, ids: Iterable[str]) -> None:
        """All that was asked for until now is silent, these ids in particular, and for a time what is volunteered."""
        self._hushed_at, self._quiet_until = now, now + quiet_s
        self.add(ids)

    def add(self, ids: Iterable[str]) -> None:
        """Answers of these ids stay silent."""
        for one in ids:
            self._ids.put(one, None)

    def covers(self, about: str, began: float) -> bool:
        """Whether an answer that began then, under this id, has to stay silent."""
        return began < self._hushed_at or about in self._ids

    def lasts(self, now: float) -> bool:
        """Whether nothing volunteered may be spoken now."""
        return now < self._quiet_until or self.only_answers

    def refuses(self, now: float, request: Request) -> bool:
        """Whether this request comes to nothing. What a person has just pressed a key for does not."""
        if request.on_demand:
            return False
        return self.covers(request.about, request.began) or (request.volunteered and self.lasts(now))
