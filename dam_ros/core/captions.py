"""Captions at a pace that fingers can read on a braille display. It does not know who shows them."""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
import math

from dam_ros.core.speakable import visible
from dam_ros.core.speech_settings import SpeechSettings

_MOST = 32       # captions that wait; the oldest goes first
_WIDE = 0x2e80   # from there on scripts have no spaces: three characters count as a word


class Captions:
    """Each sentence goes out at the moment it is (or would be) spoken, but no sooner than the one before was read.

    Args:
        settings: as they count now.
        show: (text): it goes out now.
    """

    def __init__(self, settings: Callable[[], SpeechSettings], show: Callable[[str], None]):
        self._settings, self._show = settings, show
        self._waiting: deque[tuple[str, str]] = deque(maxlen=_MOST)   # key of the request, text
        self._read_at = -math.inf

    def add(self, now: float, key: str, text: str, at_once: bool) -> None:
        """A sentence of a request is spoken now.

        Args:
            at_once: the person waits for it: what was shown before is over.
        """
        if at_once:
            self._waiting.clear()
            self._read_at = -math.inf
        self._waiting.append((key, visible(text)))
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

    def drop(self, key: str) -> None:
        """The request was silenced: what of it was not shown is not shown."""
        self._waiting = deque((one for one in self._waiting if one[0] != key), maxlen=_MOST)

    def clear(self) -> None:
        """Silence: nothing that waits is shown."""
        self._waiting.clear()

    def _next(self, now: float) -> None:
        _, text = self._waiting.popleft()
        self._show(text)
        wpm = self._settings().caption_wpm
        self._read_at = now + words_in(text) * 60.0 / wpm if wpm > 0 else math.inf


def words_in(text: str) -> float:
    """How many words a text is to a reader; of scripts without spaces each character counts as a third of one."""
    wide = sum(ord(character) >= _WIDE for character in text)
    return len(text.split()) + wide / 3.0
