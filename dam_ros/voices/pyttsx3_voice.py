"""pyttsx3 as a synthesizer, in a child process that is killed when it hangs. It knows no sound device."""
from __future__ import annotations

from collections.abc import Sequence
import importlib.util
import json
import os
from pathlib import Path
import select
import subprocess
import sys
from typing import Any

import dam_ros
from dam_ros.core.speakable import speakable
from dam_ros.voices.children import Child
from dam_ros.voices.espeak import read_wav
from dam_ros.voices.protocol import Run, Sound, Stopped, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_START_S = 10.0    # a cold Jetson imports slowly
_LIMIT_S = 5.0     # a sentence of 300 characters takes 60 ms
REMEDY = 'pip install pyttsx3, and sudo apt-get install libespeak-ng1'


class Pyttsx3:
    """`command` starts the child; () = our own."""

    def __init__(self, command: Sequence[str] = (), limit_s: float = _LIMIT_S):
        self._command = list(command) or [sys.executable, '-m', 'dam_ros.voices.pyttsx3_child']
        self._ours, self._limit_s = not command, limit_s
        self._child: Child | None = None
        self._unread = b''

    def check(self) -> str:
        """Starts the child, so that the first sentence need not wait for it."""
        if self._ours and importlib.util.find_spec('pyttsx3') is None:
            return f'pyttsx3 is not installed. {REMEDY}'
        try:
            self._ensure(Run())
        except VoiceError as error:
            return str(error)
        return ''

    def make(self, utterance: Utterance, run: Run) -> Sound:
        request = {'text': speakable(utterance.text), 'language': utterance.language, 'rate_wpm': utterance.rate_wpm}
        self._ensure(run)
        child, done = self._child, False
        run.adopt(child.kill)
        try:
            wav = self._exchange(child, request)
            done = True
        except (BrokenPipeError, EOFError) as error:
            if run.stopped.is_set():
                raise Stopped from error
            raise VoiceError('the process of pyttsx3 has died', again=True) from error
        finally:
            run.release(child.kill)
            if not done or run.stopped.is_set():
                self.close()
        if run.stopped.is_set():
            raise Stopped
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
        child = Child(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                      env=_environment())
        self._child = child
        run.adopt(child.kill)
        try:
            reply = self._reply(child, now() + _START_S)
        except EOFError as error:
            self.close()
            if run.stopped.is_set():
                raise Stopped from error
            raise VoiceError(f'the process of pyttsx3 does not start. {REMEDY}') from error
        except VoiceError:
            self.close()
            raise
        finally:
            run.release(child.kill)
        if not reply.get('ready'):
            self.close()
            raise VoiceError(f"pyttsx3: {reply.get('failed', 'it has no voices')}. {REMEDY}")

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


def _environment() -> dict[str, str]:
    """The child finds this very package, wherever it was imported from."""
    root = str(Path(dam_ros.__file__).parent.parent)
    paths = [root, *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep))]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths)}
