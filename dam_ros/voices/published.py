"""Sound for another machine: samples in short pieces at the pace of speech, given to a function. It knows no topic."""
from __future__ import annotations

from collections.abc import Callable, Mapping
import threading
from typing import Any, Protocol

import numpy as np

from dam_ros.voices.protocol import Output, Run, Sound, Stopped, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_CHUNK_S = 0.05
_AHEAD_S = 0.05   # each piece is given away this long before its time, so that the other side does not run dry


class Publish(Protocol):
    """Called from threads of the voices, in the order of the sound; it must not block.

    Args:
        samples: int16 (N,), mono, at most 0.1 s of them; none where `stop`.
        at_s: when the first of them is to be heard here, s of `time.monotonic`.
        stop: everything given before that has not been played yet is to be dropped.
    """

    def __call__(self, samples: np.ndarray, rate_hz: int, at_s: float, stop: bool) -> None: ...


class Published:
    """Output to `publish` alone: no sound card is needed."""

    audible = True

    def __init__(self, publish: Publish):
        self._publish = publish

    def check(self) -> str:
        return ''

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        begin = now()
        began(begin)
        chunk = max(round(_CHUNK_S * sound.rate_hz), 1)
        for start in range(0, len(sound.samples), chunk):
            at = begin + start / sound.rate_hz
            if run.stopped.wait(max(at - _AHEAD_S - now(), 0.0)):
                self._stop(sound.rate_hz)
            self._publish(sound.samples[start:start + chunk], sound.rate_hz, at, False)
        end = begin + sound.duration_s
        if run.stopped.wait(max(end - now(), 0.0)):
            self._stop(sound.rate_hz)
        return end

    def note(self, event: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass

    def _stop(self, rate_hz: int) -> None:
        self._publish(np.zeros(0, np.int16), rate_hz, now(), True)
        raise Stopped


class Both:
    """Output to a device and to `published`. Where the device fails the others hear it nevertheless; see `trouble`."""

    audible = True

    def __init__(self, device: Output, published: Published):
        self._device, self._published = device, published
        self.trouble = ''

    def check(self) -> str:
        """Looks at the device, too, but can do without it."""
        self.trouble = self._device.check()
        return ''

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        self.trouble = ''
        beside = threading.Thread(target=self._play_device, args=(sound, utterance, run), daemon=True)
        beside.start()
        try:
            return self._published.play(sound, utterance, run, began)
        finally:
            beside.join()

    def note(self, event: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        self._device.close()

    def _play_device(self, sound: Sound, utterance: Utterance, run: Run) -> None:
        try:
            self._device.play(sound, utterance, run, lambda at: None)
        except Stopped:
            pass
        except VoiceError as error:
            self.trouble = str(error)
