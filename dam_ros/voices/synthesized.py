"""A voice made of two parts: something that makes sound of text, and something that sound goes to. It knows neither."""
from __future__ import annotations

from collections.abc import Callable, Mapping
import time
from typing import Any

from dam_ros.voices import earcons, loudness
from dam_ros.voices.protocol import Finished, Output, Run, Synthesizer, Utterance
from dam_ros.voices.threaded import Threaded


class Synthesized(Threaded):
    """See `protocol.Voice`."""

    def __init__(self, name: str, synthesizer: Synthesizer, output: Output):
        self._synthesizer, self._output = synthesizer, output
        super().__init__(name)

    @property
    def audible(self) -> bool:
        return self._output.audible

    def check(self) -> str:
        return self._synthesizer.check() or self._output.check()

    def note(self, event: Mapping[str, Any]) -> None:
        self._output.note(event)

    def speak(self, utterance: Utterance, run: Run, began: Callable[[float], None]) -> Finished:
        if utterance.earcon:
            sound = earcons.sound_of(utterance.earcon)
        else:
            sound = self._synthesizer.make(utterance, run)
        end = self._output.play(loudness.at(utterance.volume, sound), utterance, run, began)
        return Finished(end, trouble=getattr(self._output, 'trouble', ''))

    def give_back(self) -> None:
        self._synthesizer.close()
        self._output.close()


def now() -> float:
    """s, the clock of all events."""
    return time.monotonic()
