"""Speech into files: one WAV per text, and in session mode one real-time track with a list of events.

The track is what a microphone would have heard: silence included, cut where a hush took effect. It knows no device.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
import json
import os
from pathlib import Path
import struct
import threading
from typing import Any

import numpy as np

from dam_ros.voices.protocol import Run, Sound, Stopped, Utterance, VoiceError
from dam_ros.voices.synthesized import now

_HEADER = 44
_CHUNK_S = 0.02                 # how exactly a hush cuts
_LONGEST = 2 ** 32 - 2 ** 20    # bytes in a WAV file: 27 hours; then the track begins anew


class WavFile:
    """A mono 16-bit WAV that is whole at every moment; its unwritten parts are silence and take no disk space."""

    def __init__(self, path: Path, rate_hz: int):
        self.path, self.rate_hz, self.length = path, rate_hz, 0   # length in samples
        self._file = open(path, 'xb', buffering=0)
        self._write_header()

    def write(self, position: int, samples: np.ndarray) -> None:
        """Samples int16 (N,) at this position (in samples from the beginning)."""
        self._file.seek(_HEADER + 2 * position)
        self._file.write(samples.astype('<i2', copy=False).tobytes())
        self._grow(position + len(samples))

    def extend(self, length: int) -> None:
        """Silence up to this length, in samples."""
        if length > self.length:
            os.ftruncate(self._file.fileno(), _HEADER + 2 * length)
            self._grow(length)

    def close(self) -> None:
        self._file.close()

    def _grow(self, length: int) -> None:
        self.length = max(self.length, length)
        self._write_header()

    def _write_header(self) -> None:
        size = 2 * self.length
        self._file.seek(0)
        self._file.write(struct.pack('<4sI8sIHHIIHH4sI', b'RIFF', 36 + size, b'WAVEfmt ', 16, 1, 1, self.rate_hz,
                                     2 * self.rate_hz, 2, 16, b'data', size))


class Files:
    """One WAV per group of utterances in a folder, as fast as they can be written; no pace.

    Files are named RUN-NUMBER.wav; the events go to RUN-events.jsonl, one JSON object a line, `t_s` in s since the
    start of the run.

    Raises:
        VoiceError: the folder cannot be made or written.
    """

    audible = True

    def __init__(self, folder: str):
        self.folder = Path(folder).expanduser()
        self._lock = threading.Lock()   # notes come from another thread than sound
        self._zero = now()
        self._numbers, self._group, self._file = 0, '', None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.run, self._events = self._open_run()
        except OSError as error:
            raise VoiceError(f'wav_dir {str(self.folder)!r} cannot be written: {error.strerror or error}') from error

    def check(self) -> str:
        return '' if os.access(self.folder, os.W_OK) else f'wav_dir {str(self.folder)!r} cannot be written'

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        began(now())
        self._add_to_group(sound, utterance)
        return now()

    def note(self, event: Mapping[str, Any]) -> None:
        """Adds a line. `at` becomes t_s; at the end of a group the line names its file."""
        line = {'t_s': round(event.get('at', now()) - self._zero, 4),
                **{key: value for key, value in event.items() if key != 'at'}}
        with self._lock, _as_voice_error(self.folder):
            if event.get('event') == 'end' and self._file is not None and event.get('id') == self._group:
                line['file'] = self._file.path.name
                self._end_group()
            if not self._events.closed:
                self._events.write(json.dumps(line, ensure_ascii=False) + '\n')

    def close(self) -> None:
        with self._lock:
            self._end_group()
            with suppress(OSError):   # the last line may not fit on the disk
                self._events.close()

    def _open_run(self) -> tuple[str, Any]:
        for number in range(1, 10000):
            run = f'{number:03d}'
            if any(self.folder.glob(f'{run}-*')):
                continue
            try:
                return run, open(self.folder / f'{run}-events.jsonl', 'x', encoding='utf-8', buffering=1)
            except FileExistsError:
                continue   # another node was faster
        raise OSError('it holds 9999 runs already; please empty it')

    def _add_to_group(self, sound: Sound, utterance: Utterance) -> None:
        if utterance.earcon:
            return   # it belongs to no text; the track has it
        with self._lock, _as_voice_error(self.folder):
            if self._file is None or self._group != utterance.group or self._file.rate_hz != sound.rate_hz:
                self._end_group()
                self._numbers += 1
                self._file = WavFile(self.folder / f'{self.run}-{self._numbers:04d}.wav', sound.rate_hz)
                self._group = utterance.group
            self._file.write(self._file.length, sound.samples)

    def _end_group(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Session(Files):
    """The same in real time, with RUN-track.wav: everything at its time, from the start of the run."""

    def __init__(self, folder: str, rate_hz: int = 22050):
        super().__init__(folder)
        self._tracks, self._rate_hz = 0, rate_hz
        self._open_track(self._zero)

    def play(self, sound: Sound, utterance: Utterance, run: Run, began: Callable[[float], None]) -> float:
        samples = sound.samples if sound.rate_hz == self._rate_hz else _resample(sound, self._rate_hz)
        with self._lock, _as_voice_error(self.folder):
            first = max(round((now() - self._track_zero) * self._rate_hz), self._track.length)
            if 2 * (first + len(samples)) > _LONGEST:
                self._open_track(now())
                first = 0
        begin = self._track_zero + first / self._rate_hz
        began(begin)
        heard = self._play_chunks(samples, first, begin, run)
        self._add_to_group(Sound(samples[:heard], self._rate_hz), utterance)
        if heard < len(samples):
            raise Stopped
        return begin + len(samples) / self._rate_hz

    def note(self, event: Mapping[str, Any]) -> None:
        with self._lock, _as_voice_error(self.folder):
            self._track.extend(min(round((now() - self._track_zero) * self._rate_hz), _LONGEST // 2))
        super().note(event)

    def close(self) -> None:
        if not self._events.closed:
            with suppress(VoiceError):
                self.note({'event': 'close'})
            self._track.close()
        super().close()

    def _play_chunks(self, samples: np.ndarray, first: int, begin: float, run: Run) -> int:
        """Writes each chunk when its time has come; returns how many samples were out before the stop."""
        chunk = round(_CHUNK_S * self._rate_hz)
        for start in range(0, len(samples), chunk):
            if run.stopped.wait(max(begin + start / self._rate_hz - now(), 0.0)):
                return start
            with self._lock, _as_voice_error(self.folder):
                self._track.write(first + start, samples[start:start + chunk])
        if run.stopped.wait(max(begin + len(samples) / self._rate_hz - now(), 0.0)):
            return max(len(samples) - 1, 0)
        return len(samples)

    def _open_track(self, zero: float) -> None:
        if self._tracks:
            self._track.close()
        self._tracks += 1
        part = f'-{self._tracks}' if self._tracks > 1 else ''
        with _as_voice_error(self.folder):
            self._track = WavFile(self.folder / f'{self.run}-track{part}.wav', self._rate_hz)
        self._track_zero = zero


class _as_voice_error:
    """A full disk is no bug."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, OSError):
            raise VoiceError(f'wav_dir {str(self._folder)!r} cannot be written: {error.strerror or error}') from error


def _resample(sound: Sound, rate_hz: int) -> np.ndarray:
    length = round(sound.duration_s * rate_hz)
    places = np.arange(length) * (sound.rate_hz / rate_hz)
    return np.interp(places, np.arange(len(sound.samples)), sound.samples).astype(np.int16) if length else \
        np.zeros(0, np.int16)
