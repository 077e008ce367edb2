"""What a voice is. It knows no policy: whoever calls `start` has decided that this is to be spoken now."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import threading
from typing import Any, Protocol, runtime_checkable

import numpy as np


@dataclass(frozen=True)
class Utterance:
    """One sentence to speak, or one earcon.

    Attributes:
        text: plain; markup and control characters in it are text, too.
        language: BCP 47.
        rate_wpm: words per minute, 80..500.
        group: utterances of one group belong together (one file of the voice `wav`).
        earcon: one of `earcons.EARCONS`, which is played instead of any text; '' = none.
        pitch: 0..100, 50 is the voice's own.
        volume: %, 0..200.
        voice_name: within the synthesizer, for texts in that voice's language; '' or unknown = by the language.
        asked: somebody waits for it; a screen reader must not swallow it.
    """

    text: str = ''
    language: str = 'en'
    rate_wpm: float = 175.0
    group: str = ''
    earcon: str = ''
    pitch: int = 50
    volume: int = 100
    voice_name: str = ''
    asked: bool = False


@dataclass(frozen=True)
class Started:
    """The first sample is out. `at`: s, `time.monotonic`."""

    at: float


@dataclass(frozen=True)
class Finished:
    """The last sample has left the sound system, or others were let speak instead.

    Attributes:
        at: s, `time.monotonic`.
        audible: False: a screen reader had its turn (`speechd`); nobody heard this, or not all of it.
        trouble: what did not work although it was heard (one of two outputs), '' = nothing.
        silenced: the person ended it with the screen reader's own key (`speechd`).
    """

    at: float
    audible: bool = True
    trouble: str = ''
    silenced: bool = False


@dataclass(frozen=True)
class Failed:
    """It was not, or not wholly, spoken.

    Attributes:
        reason: one line, what to do included.
        again: worth trying once more with the same voice (its process died); False: it hangs or has no device.
    """

    reason: str
    again: bool = False


Event = Started | Finished | Failed
Listener = Callable[[Event], None]


class VoiceError(Exception):
    """A voice could not speak. The arguments are those of Failed."""

    def __init__(self, reason: str, again: bool = False):
        super().__init__(reason)
        self.again = again


@runtime_checkable
class Voice(Protocol):
    """One mouth: it speaks one utterance at a time.

    Attributes:
        name: 'pyttsx3', 'espeak', ...
        audible: False where nobody hears it (`silent`).
    """

    name: str
    audible: bool

    def check(self) -> str:
        """'' where it can speak, otherwise why not and what to do. May take 2 s."""

    def start(self, utterance: Utterance, listen: Listener) -> None:
        """Returns at once. Stops what was being spoken; `listen` is called from a thread of the voice: perhaps
        Started, then exactly one of Finished and Failed. After `stop` it is not called any more."""

    def stop(self) -> None:
        """Silence within 200 ms. Returns at once, also where the voice hangs."""

    def note(self, event: Mapping[str, Any]) -> None:
        """An event of the policy, for voices that keep a record (`wav`). `at` is s of `time.monotonic`."""

    def close(self, wait_s: float = 1.0) -> None:
        """Silence, and its processes, threads and files are given back. It cannot be used any more."""


class Stopped(Exception):
    """The run was stopped; nobody wants to know how it would have ended."""


@dataclass(frozen=True)
class Sound:
    """Mono speech. `samples`: int16 (N,), N >= 0; `rate_hz` > 0."""

    samples: np.ndarray
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz


class Synthesizer(Protocol):
    """Makes sound of text. Used by one thread."""

    def check(self) -> str:
        """'' where all it needs is there, otherwise what is missing and how to get it."""

    def names(self) -> Mapping[str, str]:
        """What `voice_name` may be: name to language (BCP 47), '' = any. Empty where it does not work."""

    def make(self, utterance: Utterance, run: Run) -> Sound:
        """Raises VoiceError, or Stopped where `run` was stopped."""

    def close(self) -> None: ...


class Output(Protocol):
    """Where sound goes. `play` is used by one thread, `note` by any.

    Attributes:
        audible: whether somebody hears it.
        trouble: what does not work although `play` has not failed; need not be there.
    """

    audible: bool

    def check(self) -> str: ...

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        """Returns when the last sample is out, with that time; calls `began` at the first. Raises as `make` does."""

    def note(self, event: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


class Run:
    """One utterance under way: knows what must die when it is stopped. Thread-safe."""

    def __init__(self):
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._kills: list[Callable[[], None]] = []

    def adopt(self, kill: Callable[[], None]) -> None:
        """`kill` will be called at `stop`; it must not block. Raises Stopped where that was before (and kills)."""
        with self._lock:
            if not self.stopped.is_set():
                self._kills.append(kill)
                return
        kill()
        raise Stopped

    def release(self, kill: Callable[[], None]) -> None:
        """What `kill` would end has ended by itself, or is kept for the next utterance."""
        with self._lock:
            if kill in self._kills:
                self._kills.remove(kill)

    def stop(self) -> None:
        with self._lock:
            self.stopped.set()
            for kill in self._kills:
                kill()
            self._kills.clear()
