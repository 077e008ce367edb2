"""How soon a voice is heard, and how soon it is silent again, at the sound device.

    ./dev bench speech [--rounds 20] [--only VOICE ...] [--piper-model FILE.onnx] [--quick]

The device is a PulseAudio null sink of our own, whose monitor is recorded; the voice wav has its track. Measured is
each voice that works here; before that, a sentence that was played is compared with what espeak-ng makes of it.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass, field
import os
from pathlib import Path
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import wave

import numpy as np
import report

from dam_ros import voices
from dam_ros.voices.espeak import Espeak
from dam_ros.voices.protocol import Failed, Finished, Run, Utterance, Voice

VOICES = ('speechd', 'pyttsx3', 'espeak', 'piper', 'wav')
RATE_HZ = 22050
TEXT = 'A red mug on the left, and behind it a blue ball on a wooden table.'
HUSH_MS, EARCON_MS = 200.0, 60.0   # what is promised at most
_LOUD = 150                        # of 16 bit: above it is sound
_SPEAK_S, _AFTER_S = 0.7, 0.5      # how long it speaks before the hush, and is listened to after it
_TOOLS = ('pulseaudio', 'pactl', 'parec', 'aplay')
_ALIKE = 0.9                       # correlation of what is heard with what espeak-ng makes
_SAME = ('espeak', 'wav')           # the samples of others differ: two runs of pyttsx3, too
_AS_LONG = 1.25                    # times as long, at the most, and as short


class Microphone:
    """What is heard, and when. `take` is called by whoever records."""

    def __init__(self):
        self._samples = bytearray()
        self._ends: list[tuple[int, float]] = []   # number of samples by then, s

    def take(self, data: bytes) -> None:
        self._samples += data
        self._ends.append((len(self._samples) // 2, time.monotonic()))

    def since(self, begun: float) -> tuple[np.ndarray, np.ndarray]:
        """Samples int16 (N,) and when each was heard, s (N,): as late as its piece came, at the most."""
        ends = self._ends[:]
        counts, times = (np.array(one) for one in zip(*ends))
        held = np.frombuffer(bytes(self._samples[:2 * counts[-1]]), '<i2')
        piece = np.searchsorted(counts, np.arange(len(held)), 'right')
        at = times[piece] - (counts[piece] - np.arange(len(held))) / RATE_HZ
        first = int(np.searchsorted(at, begun))
        return held[first:], at[first:]


class Track:
    """The same of the voice wav."""

    def __init__(self, folder: Path, zero: float):
        self._folder, self._zero = folder, zero

    def since(self, begun: float) -> tuple[np.ndarray, np.ndarray]:
        with wave.open(str(next(self._folder.glob('*-track.wav')))) as file:
            held = np.frombuffer(file.readframes(file.getnframes()), '<i2')
        at = self._zero + np.arange(len(held)) / RATE_HZ
        first = int(np.searchsorted(at, begun))
        return held[first:], at[first:]


@dataclass
class Heard:
    """s, of each round."""

    first: list[float] = field(default_factory=list)
    hush: list[float] = field(default_factory=list)


@contextmanager
def room(folder: Path) -> Iterator[Microphone]:
    """A sound server of our own, where every player of this process plays."""
    environment = {'HOME': str(folder), 'XDG_RUNTIME_DIR': str(folder), 'PULSE_RUNTIME_PATH': str(folder / 'pulse'),
                   'PULSE_SERVER': f'unix:{folder}/socket', 'ALSA_CONFIG_PATH': str(folder / 'asound.conf')}
    (folder / 'asound.conf').write_text('</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\n')
    before, microphone = dict(os.environ), Microphone()
    os.environ.update(environment)
    try:
        with _process('pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1',
                      '-L', f'module-null-sink sink_name=room rate={RATE_HZ} channels=1',
                      '-L', f'module-native-protocol-unix socket={folder}/socket auth-anonymous=1'):
            _until(lambda: subprocess.run(['pactl', 'info'], capture_output=True).returncode == 0)
            with _process('parec', '-d', 'room.monitor', '--format=s16le', f'--rate={RATE_HZ}', '--channels=1',
                          '--latency-msec=5', '--raw') as recorder:
                threading.Thread(target=_record, args=(recorder.stdout, microphone), daemon=True).start()
                _until(lambda: microphone._ends)
                yield microphone
    finally:
        os.environ.clear()
        os.environ.update(before)


def _record(pipe, microphone: Microphone) -> None:
    while data := os.read(pipe.fileno(), 4096):
        microphone.take(data)


@contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen]:
    one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield one
    finally:
        os.killpg(one.pid, signal.SIGTERM)
        one.wait(5.0)


def _until(condition: Callable[[], object], limit_s: float = 10.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f'what is needed to listen did not start within {limit_s:g} s')
        time.sleep(0.02)


@contextmanager
def dispatcher(folder: Path) -> Iterator[None]:
    """A speech-dispatcher of our own, where it is installed."""
    if shutil.which('speech-dispatcher') is None:
        yield
        return
    place = folder / 'speechd'
    with _process('speech-dispatcher', '-s', '-t', '0', '-c', 'unix_socket', '-S', str(place), '-L', str(folder), '-P',
                  str(folder / 'speechd.pid'), '-l', '1'):
        os.environ['SPEECHD_ADDRESS'] = f'unix_socket:{place}'
        _until(place.exists)
        yield


# -- one voice --------------------------------------------------------------------------------------------------------

def compare(name: str, voice: Voice, ears: Microphone | Track) -> None:
    """Plays a sentence to its end. Raises Unequal where something else was heard, or nothing."""
    begun, events = time.monotonic(), queue.Queue()
    voice.start(Utterance(TEXT, asked=True), events.put)
    while not isinstance(event := events.get(timeout=30.0), Finished):
        if isinstance(event, Failed):
            raise report.Unequal(f'{name} says nothing: {event.reason}')
    time.sleep(0.3)
    samples, _ = ears.since(begun)
    expected = Espeak().make(Utterance(TEXT), Run()).samples
    loud = np.flatnonzero(np.abs(samples.astype(int)) > _LOUD)
    length = (loud[-1] - loud[0]) / len(expected) if len(loud) else 0.0
    if not 1 / _AS_LONG < length < _AS_LONG:
        raise report.Unequal(f'{name} takes {length:.2f} times as long as espeak-ng')
    likeness = alike(samples, expected) if name in _SAME else 1.0
    if likeness < _ALIKE:
        raise report.Unequal(f'{name} is not heard as what espeak-ng says: correlation {likeness:.2f}')


def alike(heard: np.ndarray, said: np.ndarray) -> float:
    """The greatest correlation over all places, 0..1."""
    size = 1 << (len(heard) + len(said)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(float) ** 2)])
    places = np.arange(max(len(heard) - len(said), 0) + 1)
    near = np.sqrt(np.maximum(energy[np.minimum(places + len(said), len(heard))] - energy[places], 1.0))
    return float((product[places] / near).max() / np.sqrt((said.astype(float) ** 2).sum()))


def measure(voice: Voice, ears: Microphone | Track, rounds: int, one: Utterance) -> Heard:
    """Raises Unequal where nothing was heard."""
    found = Heard()
    for _ in range(rounds):
        begun = time.monotonic()
        voice.start(one, lambda event: None)
        time.sleep(_SPEAK_S)
        stopped = time.monotonic()
        voice.stop()
        time.sleep(_AFTER_S)
        voice.note({'event': 'hush', 'at': stopped})   # the track of wav reaches until now
        samples, at = ears.since(begun)
        loud = at[np.abs(samples.astype(int)) > _LOUD]
        if not len(loud):
            raise report.Unequal(f'{voice.name} was not heard within {_SPEAK_S:g} s')
        found.first.append(loud[0] - begun)
        found.hush.append(max(loud[-1] - stopped, 0.0))
    return found


def measure_all(given: argparse.Namespace, rounds: int) -> dict[str, Heard]:
    """Of each voice that works here, by name; 'earcon' is one of them."""
    found: dict[str, Heard] = {}
    with ExitStack() as stack:
        # Not under a long path: that of a socket has at most 107 characters.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='speech-', ignore_cleanup_errors=True)))
        microphone = None
        if all(map(shutil.which, _TOOLS)):
            microphone = stack.enter_context(room(folder))
            stack.enter_context(dispatcher(folder))
        for name in given.only:
            if name != 'wav' and microphone is None:
                continue
            options = {'piper_model': given.piper_model, 'wav_dir': str(folder / 'wav')}
            voice = voices.create(name, options)
            why = voice.check()
            if why:
                print(f'not measured: {name}: {why}')
            else:
                ears = microphone if name != 'wav' else Track(folder / 'wav', voice._output._zero)
                compare(name, voice, ears)
                found[name] = measure(voice, ears, rounds, Utterance(TEXT, asked=True))
                if name == 'espeak':
                    found['earcon'] = measure(voice, ears, rounds, Utterance(earcon='heard'))
            voice.close()
    return found


def result_of(found: dict[str, Heard], quick: bool) -> report.Result:
    rows, facts = [], []
    for name, heard in found.items():
        rows.append(report.Row(f'{name}: request to first sample', report.Times.of(heard.first)))
        if name == 'earcon':
            facts.append(report.Fact('earcon: 95 of 100 are heard within', 1e3 * float(np.percentile(heard.first, 95)),
                                     'ms', most=EARCON_MS))
        else:
            rows.append(report.Row(f'{name}: hush to silence', report.Times.of(heard.hush)))
            facts.append(report.Fact(f'{name}: slowest hush', 1e3 * max(heard.hush), 'ms', most=HUSH_MS))
    same = ' and '.join(name for name in found if name in _SAME)
    equal = [f'what was heard of {same} correlates above {_ALIKE} with what espeak-ng makes of it, and each voice '
             f'takes as long for the text, within {100 * _AS_LONG - 100:.0f} %']
    return report.Result('speech', quick=quick, rows=rows, facts=facts, equal=equal)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='speech', description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--only', nargs='+', choices=VOICES, default=VOICES, help='these voices')
    parser.add_argument('--piper-model', default='', metavar='FILE', help='.onnx of a voice of piper')
    parser.add_argument('--quick', action='store_true', help='2 rounds: only to see that it works')
    parser.add_argument('--out', type=Path, default=report.RESULTS, help='folder of the result')
    given = parser.parse_args(argv)
    found = measure_all(given, 2 if given.quick else given.rounds)
    if not found:
        raise report.Unequal('no voice works here, see above')
    report.tell(result_of(found, given.quick or given.only != VOICES), given.out)
    return 0
