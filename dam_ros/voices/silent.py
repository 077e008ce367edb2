"""No sound, at the pace of speech: what is used where nothing else works, so that captions keep their time."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dam_ros.core.speakable import speakable
from dam_ros.voices.protocol import Run, Sound, Stopped, Utterance
from dam_ros.voices.synthesized import now

_LETTERS_PER_WORD = 6.0   # with the space; of scripts without spaces each character counts as a third of a word
_RATE_HZ = 100
_LONGEST_S = 60.0


class Metronome:
    """Makes silence as long as speech would be."""

    def check(self) -> str:
        return ''

    def names(self) -> Mapping[str, str]:
        return {}

    def make(self, utterance: Utterance, run: Run) -> Sound:
        text = speakable(utterance.text)
        wide = sum(ord(character) >= 0x2e80 for character in text)
        words = (len(text) - wide) / _LETTERS_PER_WORD + wide / 3.0
        duration_s = min(words * 60.0 / utterance.rate_wpm, _LONGEST_S)
        return Sound(np.zeros(round(duration_s * _RATE_HZ), np.int16), _RATE_HZ)

    def close(self) -> None:
        pass


class Nowhere:
    """Waits as long as the sound would take."""

    audible = False

    def check(self) -> str:
        return ''

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        began(now())
        if run.stopped.wait(sound.duration_s):
            raise Stopped
        return now()

    def note(self, event: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass
