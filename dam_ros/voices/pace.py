"""How long a synthesizer that plays by itself may take for a text until it counts as hung. It knows no synthesizer."""
from __future__ import annotations

import re

from dam_ros.core.speakable import speakable
from dam_ros.voices.protocol import Utterance

_UNKNOWN = 2.4    # times the expected duration, of one that was not heard to the end yet
_SLOWEST = 3.0    # nobody is believed to be slower
_SLACK = 1.15     # texts differ by that much in how long their words are
_GRACE_S = 2.0
_OPENING_S = 1.0  # of these, what the sound device may take
_PAUSE_S = 0.5    # before and after the words
_WORD = re.compile(r'\w+')


class Pace:
    """Learns from what was spoken to the end."""

    def __init__(self):
        self._share = _UNKNOWN   # of the expected duration that it takes

    def limit_s(self, utterance: Utterance) -> float:
        """Who speaks longer than this hangs."""
        return _GRACE_S + _SLACK * self._share * expected_s(utterance)

    def took(self, utterance: Utterance, duration_s: float) -> None:
        """It was spoken to its end."""
        known = 1.0 if self._share == _UNKNOWN else self._share
        self._share = min(max(known, (duration_s - _OPENING_S) / expected_s(utterance)), _SLOWEST)

    def forget(self) -> None:
        """Another synthesizer may speak from now on."""
        self._share = _UNKNOWN


def expected_s(utterance: Utterance) -> float:
    """How long the text is at its rate. Digits, capitals, other scripts and endless words are spelt: a word a
    character."""
    text = speakable(utterance.text)
    spelt = sum(len(word) for word in _WORD.findall(text) if _is_spelt(word))
    return _PAUSE_S + (spelt + (len(text) - spelt) / 6.0) * 60.0 / max(utterance.rate_wpm, 1.0)


def _is_spelt(word: str) -> bool:
    foreign = any(ord(character) >= 0x250 for character in word)   # past the Latin letters
    return len(word) > 20 or foreign or word.isupper() or not word.isalpha()
