"""What the tests of voices share: ears for events, a sound card made of a file, and a microphone for WAV tracks."""
from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import queue
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np
import psutil
import pytest

from dam_ros.voices import ssip
from dam_ros.voices.mouth import makers_of
from dam_ros.voices.protocol import Finished, Started, Utterance, Voice

import tiny_piper

LONG = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen'
# A player that takes raw samples at the pace of a sound card and keeps what was played until it is killed.
_PLAYER = """#!{python} -S
import os, sys, time
out = open({record!r}, 'ab', buffering=0)
rate = int(sys.argv[sys.argv.index('-r') + 1])
begun, sent = time.monotonic(), 0
while True:
    data = os.read(0, 2 * (rate // 100))
    if not data:
        break
    out.write(data)
    sent += len(data) // 2
    time.sleep(max(begun + sent / rate - time.monotonic(), 0))
"""


def write_program(path: Path, text: str) -> Path:
    path.write_text(text.replace('{python}', sys.executable), encoding='utf-8')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def sound_card(folder: Path, monkeypatch) -> Path:
    """A fake `aplay` first on PATH; returns the file of raw 16-bit samples that it has played."""
    record = folder / 'played.raw'
    write_program(folder / 'aplay', _PLAYER.replace('{record!r}', repr(str(record))))
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')
    return record


def no_sound_card(folder: Path, monkeypatch) -> None:
    """Players that find no device. (Of speech-dispatcher nobody has any here, see conftest.py, but `Dispatcher`.)"""
    for name in ('aplay', 'paplay'):
        write_program(folder / name, '#!/bin/sh\necho "audio open error: No such file or directory" >&2\nexit 1\n')
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')


class Dispatcher:
    """`ssip_server.py` in a process, found by SPEECHD_ADDRESS."""

    def __init__(self, monkeypatch):
        self._folder = tempfile.TemporaryDirectory(prefix='ssip-')   # the path of a socket is short
        self.log = Path(self._folder.name) / 'log'
        self.socket = Path(self._folder.name) / 'socket'
        self.process: subprocess.Popen | None = None
        monkeypatch.setenv('SPEECHD_ADDRESS', f'unix_socket:{self.socket}')

    def start(self, *flags: str) -> Dispatcher:
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, str(Path(__file__).with_name('ssip_server.py')),
                                         str(self.socket), str(self.log), *flags])
        until(self.socket.exists, what='the start of the server')
        return self

    def noted(self, event: str) -> list[dict]:
        """What it was told and what it said: 'command', 'queued', 'BEGIN', 'END', 'CANCELED'."""
        lines = [json.loads(line) for line in self.log.read_text(encoding='utf-8').splitlines()]
        return [one for one in lines if one['event'] == event]

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(5.0)
        self._folder.cleanup()


class Reader:
    """A screen reader: another client of the same server."""

    def __init__(self):
        self._link = ssip.Ssip()
        self._link.adjust('NOTIFICATION ALL', 'ON')
        self._link.adjust('PRIORITY', 'message')
        self._spoken = ''

    def say(self, text: str) -> None:
        self._spoken = self._link.speak(text)
        assert self._link.event(self._spoken, time.monotonic() + 2.0) == 'BEGIN'

    def ended(self) -> str:
        return self._link.event(self._spoken, time.monotonic() + 10.0)

    def silence_all(self) -> None:
        """What its key for silence does."""
        self._link.command('CANCEL ALL')

    def close(self) -> None:
        self._link.close()


# What piper does with its input and output: a line in, its samples out, nothing for an empty one.
_PIPER = """#!{python} -S
import sys, time
arguments = dict(zip(sys.argv[1:], sys.argv[2:]))
scale = float(arguments['--length_scale'])
time.sleep(0.02)   # it loads its model
for line in sys.stdin:
    if line.strip():
        for word in range(len(line) // 6 + 1):
            sys.stdout.buffer.write((b'\\x00\\x10' * 20 + b'\\x00\\xf0' * 20) * int(140 * scale))
            sys.stdout.buffer.flush()
"""


def piper(folder: Path, monkeypatch) -> Path:
    """A stand-in for the program, instead of a real one; returns the model for it."""
    program = write_program(folder / 'piper', _PIPER)
    monkeypatch.setattr('dam_ros.voices.piper._found', lambda: str(program))
    return tiny_piper.write(folder)


class Stage:
    """What voices need: players, piper, a speech-dispatcher. All of it is ours; `folder` is its place."""

    def __init__(self, folder: Path, monkeypatch):
        self.folder = folder
        self.server = Dispatcher(monkeypatch)
        sound_card(folder, monkeypatch)
        self._options = {'piper_model': str(piper(folder, monkeypatch)), 'wav_dir': str(folder / 'wav')}

    def maker(self, kind: str) -> tuple[str, Callable[[], Voice]]:
        """What Mouth takes, of the voice of this name; skips the test where that is not installed."""
        if kind in ('espeak', 'pyttsx3', 'wav') and not has_espeak():
            pytest.skip('espeak-ng is not installed')
        if kind == 'pyttsx3':
            pytest.importorskip('pyttsx3')
        if kind == 'speechd':
            self.server.start()
        return makers_of(kind, self._options)[0]

    def close(self) -> None:
        self.server.close()


def utterance(text: str, **fields) -> Utterance:
    """Fast speech, as tests wait for its end."""
    return Utterance(text, **{'rate_wpm': 400.0, **fields})


def descendants() -> list[int]:
    """Process ids of our children and theirs, the ones that live."""
    return [child.pid for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]


class Ears:
    """Collects the events of one utterance after the other."""

    def __init__(self):
        self.events: queue.Queue = queue.Queue()

    def listen(self, event) -> None:
        self.events.put(event)

    def next(self, kind: type, within_s: float = 10.0):
        event = self.events.get(timeout=within_s)
        assert isinstance(event, kind), f'{event} instead of {kind.__name__}'
        return event

    def speak(self, voice, text: str, **fields) -> tuple[Started, Finished]:
        voice.start(utterance(text, **fields), self.listen)
        return self.next(Started), self.next(Finished, 30.0)

    def nothing(self, for_s: float = 0.3) -> None:
        try:
            event = self.events.get(timeout=for_s)
        except queue.Empty:
            return
        raise AssertionError(f'{event} came')


def until(condition, within_s: float = 5.0, what: str = 'it') -> None:
    """Polls until the condition holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f'{what} did not happen within {within_s} s'
        time.sleep(0.01)


def read(path: Path) -> tuple[np.ndarray, int]:
    """Samples as float (N,) and rate in Hz; refuses what the standard library takes for no WAV."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), '<i2')
        assert len(samples) == file.getnframes()
        return samples.astype(float), file.getframerate()


def loudness(samples: np.ndarray, rate_hz: int, window_s: float = 0.02) -> np.ndarray:
    """RMS per window, of 16-bit full scale."""
    width = round(rate_hz * window_s)
    whole = samples[:len(samples) // width * width].reshape(-1, width)
    return np.sqrt((whole ** 2).mean(axis=1))


def children() -> set[int]:
    """Process ids of our children, zombies included."""
    found = set()
    for task in Path('/proc/self/task').iterdir():
        try:
            found |= {int(one) for one in (task / 'children').read_text().split()}
        except FileNotFoundError:
            pass   # that thread has just ended
    return found


def descriptors() -> int:
    return len(os.listdir('/proc/self/fd'))


def has_espeak() -> bool:
    return shutil.which('espeak-ng') is not None
