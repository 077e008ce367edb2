"""The thread of a voice, and the promises of the protocol about events and `stop`. It knows no sound and no text."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import threading
from typing import Any

from dam_ros.voices.protocol import Event, Failed, Finished, Listener, Run, Started, Stopped, Utterance, VoiceError


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


class Threaded:
    """See `protocol.Voice`. Who inherits says how one utterance is spoken, and what is to be given back."""

    def __init__(self, name: str):
        self.name = name
        self._condition = threading.Condition()
        self._job: _Job | None = None       # being spoken or waiting to be
        self._taken = True                  # by the thread
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f'voice {name}', daemon=True)
        self._thread.start()

    def speak(self, utterance: Utterance, run: Run, began: Callable[[float], None]) -> Finished:
        """In the voice's thread. Calls `began` at the first sample. Raises VoiceError, or Stopped after `run.stop`."""
        raise NotImplementedError

    def give_back(self) -> None:
        """Processes, files and connections; called once, after the thread has ended."""

    def note(self, event: Mapping[str, Any]) -> None:
        pass

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

    def close(self, wait_s: float = 1.0) -> None:
        self.stop()
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(wait_s)
        if not self._thread.is_alive():   # else it hangs: what it holds goes with the process, nothing waits for it
            self.give_back()

    def _work(self) -> None:
        while True:
            with self._condition:
                while self._taken and not self._closed:
                    self._condition.wait()
                if self._closed:
                    return
                job, self._taken = self._job, True
            self._perform(job)

    def _perform(self, job: _Job) -> None:
        try:
            job.tell(self.speak(job.utterance, job.run, lambda at: job.tell(Started(at))))
        except Stopped:
            pass
        except VoiceError as error:
            job.tell(Failed(str(error), error.again))
        except Exception as error:   # noqa: B902  a bug in a voice must not end the thread: the next sentence needs it
            job.tell(Failed(f'bug in the voice {self.name}, please report: {type(error).__name__}: {error}'))
