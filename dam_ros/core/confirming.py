"""How a question is confirmed: that it was heard, and how long answers take lately. It does not know when it sounds."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median

from dam_ros.core import phrases
from dam_ros.core.recent import Recent
from dam_ros.core.rendering import Rendering
from dam_ros.core.speech_acts import Earcon, HEARD, Item
from dam_ros.core.speech_settings import SpeechSettings

_CONFIRMED = 256      # ids
_WAITS = 5            # of so many answers the usual wait is reckoned
_LONG_WAIT_S = 3.0    # from there on it is said how long it takes


class Confirming:
    """`settings`: as they count now."""

    def __init__(self, settings: Callable[[], SpeechSettings], rendering: Rendering):
        self._settings, self._rendering = settings, rendering
        self._confirmed: Recent[None] = Recent(_CONFIRMED)
        self._waits: deque[float] = deque(maxlen=_WAITS)

    def took(self, seconds: float) -> None:
        """So long the last answer has taken to its first sentence."""
        self._waits.append(seconds)

    def is_done(self, id: str) -> bool:
        return id in self._confirmed

    def items(self, id: str) -> list[Item]:
        """What confirms the question of this id; it is done then."""
        self._confirmed.put(id, None)
        word = self._rendering.own(phrases.HEARD_WORD)
        items: list[Item] = [Earcon(HEARD), lambda _: None if self._settings().earcons else word]
        if self._waits and (usual := median(self._waits)) > _LONG_WAIT_S:
            items.append(self._rendering.own(phrases.HOW_LONG, seconds=round(usual)))
        return items
