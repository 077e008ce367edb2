"""Captions at a pace that fingers can read on a braille display. It does not know who shows them."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import math

from dam_ros.core.speakable import visible
from dam_ros.core.speech_settings import SpeechSettings

_MOST = 32       # captions that wait; the oldest goes first
_WIDE = 0x2e80   # from there on scripts have no spaces: three characters count as a word


@dataclass
class _Waiting:
    """`key`: of the request. `spoken`: to its end, or it would have been."""

    key: str
    text: str
    spoken: bool = False


class Captions:
    """Each sentence goes out at the moment it is (or would be) spoken, but no sooner than the one before was read.

    What was spoken to its end is shown, whatever interrupts; only silence ends that.

    Args:
        settings: as they count now.
        show: (text): it goes out now.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], show: Callable[[str], None]):
        self._settings, self._show = settings, show
        self._waiting: deque[_Waiting] = deque(maxlen=_MOST)
        self._read_at = -math.inf

    def add(self, now: float, key: str, text: str, at_once: bool) -> None:
        """A sentence of a request is spoken now.

        Args:
            at_once: the person waits for it: what is shown now is over, and what was cut short is not shown.
        """
        if at_once:
            self._keep(lambda one: one.spoken)
            self._read_at = -math.inf
        self._waiting.append(_Waiting(key, visible(text)))
        self.tick(now)

    def tick(self, now: float) -> None:
        """Time has passed. To be called a few times a second."""
        if self._waiting and now >= self._read_at and (self._settings().caption_wpm > 0 or self._read_at == -math.inf):
            self._next(now)

    def by_hand(self, now: float) -> bool:
        """The person wants the next one now. False where none waits."""
        if not self._waiting:
            return False
        self._next(now)
        return True

    def spoken(self, key: str) -> None:
        """What was added of the request was spoken to its end."""
        for one in self._waiting:
            one.spoken |= one.key == key

    def drop(self, key: str) -> None:
        """The request ends early: what of it was not spoken to its end is not shown."""
        self._keep(lambda one: one.spoken or one.key != key)

    def silence(self, key: str) -> None:
        """The person has silenced the request: nothing more of it is shown."""
        self._keep(lambda one: one.key != key)

    def clear(self) -> None:
        """Silence: nothing that waits is shown."""
        self._waiting.clear()

    def _keep(self, which: Callable[[_Waiting], bool]) -> None:
        self._waiting = deque(filter(which, self._waiting), maxlen=_MOST)

    def _next(self, now: float) -> None:
        text = self._waiting.popleft().text
        self._show(text)
        wpm = self._settings().caption_wpm
        self._read_at = now + words_in(text) * 60.0 / wpm if wpm > 0 else math.inf


def words_in(text: str) -> float:
    """How many words a text is to a reader; of scripts without spaces each character counts as a third of one."""
    wide = sum(ord(character) >= _WIDE for character in text)
    return len(text.split()) + wide / 3.0
