"""A voice made of two parts: something that makes sound of text, and something that sound goes to.

It knows neither part: it has the thread they work in, and the promises of the protocol about events and `stop`.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import threading
import time
from typing import Any

from dam_ros.voices.protocol import (Event, Failed, Finished, Listener, Output, Run, Started, Stopped, Synthesizer,
                                     Utterance, VoiceError)


@dataclass
class _Job:
    utterance: Utterance
    listen: Listener
    run: Run = field(default_factory=Run)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, event: Event) -> None:
        with self.lock:   # so that nothing comes after `stop` has returned
            if not self.run.stopped.is_set():
                self.listen(event)

    def stop(self) -> None:
        self.run.stop()
        with self.lock:
            pass


class Synthesized:
    """See `protocol.Voice`."""

    def __init__(self, name: str, synthesizer: Synthesizer, output: Output):
        self.name = name
        self._synthesizer, self._output = synthesizer, output
        self._condition = threading.Condition()
        self._job: _Job | None = None       # being spoken or waiting to be
        self._taken = True                  # by the thread
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f'voice {name}', daemon=True)
        self._thread.start()

    @property
    def audible(self) -> bool:
        return self._output.audible

    def check(self) -> str:
        return self._synthesizer.check() or self._output.check()

    def start(self, utterance: Utterance, listen: Listener) -> None:
        job = _Job(utterance, listen)
        with self._condition:
            before, self._job, self._taken = self._job, job, False
            self._condition.notify()
        if before is not None:
            before.stop()

    def stop(self) -> None:
        with self._condition:
            job, self._job, self._taken = self._job, None, True
        if job is not None:
            job.stop()

    def note(self, event: Mapping[str, Any]) -> None:
        self._output.note(event)

    def close(self, wait_s: float = 1.0) -> None:
        self.stop()
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(wait_s)
        if self._thread.is_alive():
            return               # it hangs: what it holds goes with the process, and nothing waits for it
        self._synthesizer.close()
        self._output.close()

    def _work(self) -> None:
        while True:
            with self._condition:
                while self._taken and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                job, self._taken = self._job, True
            self._speak(job)

    def _speak(self, job: _Job) -> None:
        try:
            sound = self._synthesizer.make(job.utterance, job.run)
            end = self._output.play(sound, job.utterance, job.run, lambda at: job.tell(Started(at)))
            job.tell(Finished(end))
        except Stopped:
            pass
        except VoiceError as error:
            job.tell(Failed(str(error), error.again))
        except Exception as error:   # noqa: B902  a bug in a voice must not end the thread: the next sentence needs it
            job.tell(Failed(f'bug in the voice {self.name}, please report: {type(error).__name__}: {error}'))


def now() -> float:
    """s, the clock of all events."""
    return time.monotonic()
