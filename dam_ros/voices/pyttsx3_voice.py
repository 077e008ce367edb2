"""pyttsx3 as a synthesizer, in child processes that are killed when they hang. It knows no sound device."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from dam_ros.voices.children import Child, ends_with, Kept
from dam_ros.voices.espeak import read_wav
from dam_ros.voices.protocol import Run, Sound, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_START_S = 10.0    # a cold Jetson imports slowly
_LIMIT_S = 2.5     # a sentence of 300 characters takes 60 ms
_MOST = 4          # children of 30 MB; a start takes 0.3 s, which a change of language back and forth need not pay
REMEDY = 'pip install pyttsx3, and sudo apt-get install libespeak-ng1'


@dataclass(frozen=True)
class _Purpose:
    """What a child is started with: pyttsx3 loses changes of voice, rate and pitch."""

    language: str
    rate_wpm: int
    pitch: int
    voice_name: str


class Pyttsx3:
    """`command` starts the child; () = our own. The other arguments are those of the child that `check` starts."""

    def __init__(self, command: Sequence[str] = (), limit_s: float = _LIMIT_S, language: str = 'en',
                 rate_wpm: float = 175.0, pitch: int = 50, voice_name: str = ''):
        self._command = list(command) or [sys.executable, '-m', 'dam_ros.voices.pyttsx3_child']
        self._ours, self._limit_s = not command, limit_s
        self._usual = _Purpose(language, round(rate_wpm), pitch, voice_name)
        self._lines: Kept[_Line] = Kept('pyttsx3', _MOST)

    def check(self) -> str:
        """Starts the usual child, so that the first sentence need not wait for it."""
        if self._ours and importlib.util.find_spec('pyttsx3') is None:
            return f'pyttsx3 is not installed. {REMEDY}'
        run = Run()
        try:
            with self._lines.in_use(self._usual, run):
                self._line(self._usual, run)
        except VoiceError as error:
            return str(error)
        return ''

    def names(self) -> Mapping[str, str]:
        return self._line(self._usual, Run()).names if not self.check() else {}

    def make(self, utterance: Utterance, run: Run) -> Sound:
        text = speakable(utterance.text)
        if not pronounceable(text):
            return Sound(np.zeros(0, np.int16), 22050)   # pyttsx3 waits for ever for the end of nothing
        purpose = _Purpose(utterance.language, round(utterance.rate_wpm), utterance.pitch, utterance.voice_name)
        with self._lines.in_use(purpose, run):
            line = self._line(purpose, run)
            with ends_with(run, line.child):
                wav = line.exchange({'text': text}, now() + self._limit_s)
        return read_wav(wav)

    def close(self) -> None:
        self._lines.bury_all()

    def _line(self, purpose: _Purpose, run: Run) -> _Line:
        """To the child of this purpose, which is started where there is none."""
        line = self._lines.get(purpose)
        if line is not None:
            return line
        child = Child([*self._command, purpose.language, str(purpose.rate_wpm), str(purpose.pitch), purpose.voice_name],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment())
        line = _Line(child)
        self._lines.put(purpose, line)
        with ends_with(run, child):
            line.greet(now() + _START_S)
        return line


class _Line:
    """What goes to a child and comes from it. EOFError and BrokenPipeError: it has ended."""

    def __init__(self, child: Child):
        self.child = child
        self.names: dict[str, str] = {}
        self._unread = b''

    def greet(self, deadline: float) -> None:
        """Waits until the child can speak. Raises VoiceError where it cannot."""
        try:
            reply = self._reply(deadline)
        except EOFError as error:
            raise VoiceError(f'the process of pyttsx3 does not start. {REMEDY}') from error
        if not reply.get('ready'):
            raise VoiceError(f"pyttsx3: {reply.get('failed', 'it has no voices')}. {REMEDY}")
        self.names = reply.get('names', {})

    def exchange(self, request: dict[str, Any], deadline: float) -> bytes:
        """The bytes of a WAV file."""
        stdin = self.child.process.stdin
        stdin.write(json.dumps(request).encode() + b'\n')
        stdin.flush()
        reply = self._reply(deadline)
        if 'failed' in reply:
            raise VoiceError(f"pyttsx3: {reply['failed']}", again=True)
        return self._read(int(reply.get('bytes', 0)), deadline)

    def _reply(self, deadline: float) -> dict[str, Any]:
        while b'\n' not in self._unread:
            self._unread += self._more(deadline)
        line, _, self._unread = self._unread.partition(b'\n')
        try:
            return json.loads(line)
        except ValueError as error:
            raise VoiceError('the process of pyttsx3 answers with garbage', again=True) from error

    def _read(self, length: int, deadline: float) -> bytes:
        parts, have = [self._unread], len(self._unread)
        while have < length:
            parts.append(self._more(deadline))
            have += len(parts[-1])
        whole = b''.join(parts)
        self._unread = whole[length:]
        return whole[:length]

    def _more(self, deadline: float) -> bytes:
        pipe = self.child.process.stdout.fileno()
        ready, _, _ = select.select([pipe], [], [], max(deadline - now(), 0.0))
        if not ready:
            raise VoiceError('the process of pyttsx3 hangs')
        data = os.read(pipe, 1 << 16)
        if not data:
            raise EOFError
        return data


def _environment() -> dict[str, str]:
    """The child finds this very package, wherever it was imported from."""
    root = str(Path(dam_ros.__file__).parent.parent)
    paths = [root, *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths)}
