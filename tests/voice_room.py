"""What the tests of voices share: ears for events, a sound card made of a file, and a microphone for WAV tracks."""
from __future__ import annotations

import os
from pathlib import Path
import queue
import shutil
import stat
import sys
import time
import wave

import numpy as np

from dam_ros.voices.protocol import Finished, Started, Utterance

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
    """Players that find no device."""
    for name in ('aplay', 'paplay'):
        write_program(folder / name, '#!/bin/sh\necho "audio open error: No such file or directory" >&2\nexit 1\n')
    monkeypatch.setenv('PATH', f'{folder}{os.pathsep}{os.environ["PATH"]}')


def utterance(text: str, **fields) -> Utterance:
    """Fast speech, as tests wait for its end."""
    return Utterance(text, **{'rate_wpm': 400.0, **fields})


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
