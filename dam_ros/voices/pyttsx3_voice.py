"""pyttsx3 as a synthesizer, in a child process that is killed when it hangs. It knows no sound device."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import importlib.util
import json
import os
from pathlib import Path
import select
import subprocess
import sys
from typing import Any

import numpy as np

import dam_ros
from dam_ros.core.speakable import pronounceable, speakable
from dam_ros.voices.children import Child
from dam_ros.voices.espeak import read_wav
from dam_ros.voices.protocol import Run, Sound, Stopped, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_START_S = 10.0    # a cold Jetson imports slowly
_LIMIT_S = 5.0     # a sentence of 300 characters takes 60 ms
REMEDY = 'pip install pyttsx3, and sudo apt-get install libespeak-ng1'


class Pyttsx3:
    """`command` starts the child; () = our own. `language` and `rate_wpm` are those that it is started with."""

    def __init__(self, command: Sequence[str] = (), limit_s: float = _LIMIT_S, language: str = 'en',
                 rate_wpm: float = 175.0):
        self._command = list(command) or [sys.executable, '-m', 'dam_ros.voices.pyttsx3_child']
        self._ours, self._limit_s = not command, limit_s
        self._child: Child | None = None
        self._wanted = language, round(rate_wpm)
        self._unread = b''

    def check(self) -> str:
        """Starts the child, so that the first sentence need not wait for it."""
        if self._ours and importlib.util.find_spec('pyttsx3') is None:
            return f'pyttsx3 is not installed. {REMEDY}'
        run = Run()
        try:
            with self._killable(run):
                self._ensure(run)
        except VoiceError as error:
            return str(error)
        return ''

    def make(self, utterance: Utterance, run: Run) -> Sound:
        text = speakable(utterance.text)
        if not pronounceable(text):
            return Sound(np.zeros(0, np.int16), 22050)   # pyttsx3 waits for ever for the end of nothing
        wanted = utterance.language, round(utterance.rate_wpm)
        if wanted != self._wanted:
            self.close()         # pyttsx3 loses changes of voice and rate: a child has one of each
            self._wanted = wanted
        with self._killable(run):
            self._ensure(run)
            with _ends_with(run, self._child):
                wav = self._exchange(self._child, {'text': text})
        return read_wav(wav)

    def close(self) -> None:
        child, self._child, self._unread = self._child, None, b''
        if child is not None:
            child.bury()

    def _exchange(self, child: Child, request: dict[str, Any]) -> bytes:
        child.process.stdin.write(json.dumps(request).encode() + b'\n')
        child.process.stdin.flush()
        deadline = now() + self._limit_s
        reply = self._reply(child, deadline)
        if 'failed' in reply:
            raise VoiceError(f"pyttsx3: {reply['failed']}", again=True)
        return self._read(child, int(reply.get('bytes', 0)), deadline)

    def _ensure(self, run: Run) -> None:
        if self._child is not None and self._child.process.poll() is None:
            return
        self.close()
        language, rate_wpm = self._wanted
        child = Child([*self._command, language, str(rate_wpm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL, env=_environment())
        self._child = child
        with _ends_with(run, child):
            try:
                reply = self._reply(child, now() + _START_S)
            except EOFError as error:
                raise VoiceError(f'the process of pyttsx3 does not start. {REMEDY}') from error
        if not reply.get('ready'):
            raise VoiceError(f"pyttsx3: {reply.get('failed', 'it has no voices')}. {REMEDY}")

    @contextmanager
    def _killable(self, run: Run) -> Iterator[None]:
        """Whatever ends the block but its end: the child is not used again, as nobody knows what it is doing."""
        try:
            yield
        except (BrokenPipeError, EOFError) as error:
            self.close()
            if run.stopped.is_set():
                raise Stopped from error
            raise VoiceError('the process of pyttsx3 has died', again=True) from error
        except Exception:
            self.close()
            if run.stopped.is_set():
                raise Stopped from None
            raise
        if run.stopped.is_set():
            self.close()
            raise Stopped

    def _reply(self, child: Child, deadline: float) -> dict[str, Any]:
        while b'\n' not in self._unread:
            self._unread += self._more(child, deadline)
        line, _, self._unread = self._unread.partition(b'\n')
        try:
            return json.loads(line)
        except ValueError as error:
            raise VoiceError('the process of pyttsx3 answers with garbage', again=True) from error

    def _read(self, child: Child, length: int, deadline: float) -> bytes:
        parts, have = [self._unread], len(self._unread)
        while have < length:
            parts.append(self._more(child, deadline))
            have += len(parts[-1])
        whole = b''.join(parts)
        self._unread = whole[length:]
        return whole[:length]

    def _more(self, child: Child, deadline: float) -> bytes:
        pipe = child.process.stdout.fileno()
        ready, _, _ = select.select([pipe], [], [], max(deadline - now(), 0.0))
        if not ready:
            raise VoiceError('the process of pyttsx3 hangs')
        data = os.read(pipe, 1 << 16)
        if not data:
            raise EOFError
        return data


@contextmanager
def _ends_with(run: Run, child: Child) -> Iterator[None]:
    """Within the block a stop of the run kills the child."""
    run.adopt(child.kill)
    try:
        yield
    finally:
        run.release(child.kill)


def _environment() -> dict[str, str]:
    """The child finds this very package, wherever it was imported from."""
    root = str(Path(dam_ros.__file__).parent.parent)
    paths = [root, *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths)}
